# SPDX-License-Identifier: Apache-2.0
"""AMR-WB at 23.85 kbit/s for senders that are not ours: frames of a WAV file, the RTP payload of one (RFC 4867 4.3), and
what a decoder makes of frames. The codecs are those of the system, in the storage format (RFC 4867 5.3).

usage: amrwb.py tail IN.wav FRAMES OUT.wav     what is heard by who comes in for the last frames of what is said
       amrwb.py mixed LONG.wav SHORT.wav RECORDING.wav   exits 1 unless it holds both, SHORT laid over LONG, and nothing else
"""
import array
import ctypes
import sys
import wave

SAMPLES = 320
MODE = 8
BITS = 477


def _wav(path):
    with wave.open(path, "rb") as f:
        data = f.readframes(f.getnframes())
    return data + bytes(-len(data) % (2 * SAMPLES))


def encode(path):
    """Frames of a WAV file of 16000 Hz, one channel, 16 bits."""
    lib, data, out = ctypes.CDLL("libvo-amrwbenc.so.0"), _wav(path), []
    lib.E_IF_init.restype = ctypes.c_void_p
    state = ctypes.c_void_p(lib.E_IF_init())
    for at in range(0, len(data), 2 * SAMPLES):
        frame = ctypes.create_string_buffer(64)
        n = lib.E_IF_encode(state, MODE, data[at:at + 2 * SAMPLES], frame, 0)
        out.append(frame.raw[:n])
    lib.E_IF_exit(state)
    return out


def decode(frames, path):
    lib = ctypes.CDLL("libopencore-amrwb.so.0")
    lib.D_IF_init.restype = ctypes.c_void_p
    state = ctypes.c_void_p(lib.D_IF_init())
    with wave.open(path, "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(16000)
        for frame in frames:
            pcm = ctypes.create_string_buffer(2 * SAMPLES)
            lib.D_IF_decode(state, frame, pcm, 0)
            f.writeframes(pcm.raw)
    lib.D_IF_exit(state)


def payload(frame):
    """Bandwidth-efficient: CMR 15, one entry without F, FT, Q, the bits, padding."""
    speech = int.from_bytes(frame[1:], "big") >> (8 * (len(frame) - 1) - BITS)
    head = 15 << 6 | (frame[0] >> 3 & 15) << 1 | frame[0] >> 2 & 1
    pad = -(10 + BITS) % 8
    return ((head << BITS | speech) << pad).to_bytes((10 + BITS + pad) // 8, "big")


def _without(recording, first, part):
    rest = array.array("i", recording)
    for i, sample in enumerate(part):
        rest[first + i] -= sample
    return rest


def mixed(long_path, short_path, recording_path):
    """Whether the recording is the sum of the two, which lie on whole frames, the short one within the long one."""
    whole, short, recording = (array.array("h", _wav(p)) for p in (long_path, short_path, recording_path))
    loud = max(range(len(short)), key=lambda i: abs(short[i]))
    for first in range(0, len(recording) - len(whole) + 1, SAMPLES):
        rest = _without(recording, first, whole)
        for second in range(first, first + len(whole) - len(short) + 1, SAMPLES):
            if rest[second + loud] == short[loud] and not any(_without(rest, second, short)):
                return True
    return False


if __name__ == "__main__":
    if len(sys.argv) == 5 and sys.argv[1] == "mixed":
        sys.exit(0 if mixed(*sys.argv[2:]) else "the recording is not the sum of the two")
    if len(sys.argv) != 5 or sys.argv[1] != "tail":
        sys.exit(__doc__)
    decode(encode(sys.argv[2])[-int(sys.argv[3]):], sys.argv[4])
