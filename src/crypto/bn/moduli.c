/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/bn/mont.h"

/* p of RFC 6509 appendix A */
const struct mcx_mont mcx_mont_p = {
    .m = {
        MCX_L64(0x666d807afea85feb), MCX_L64(0x80c5df10ac7ace87), MCX_L64(0xfce3e82389857db0), MCX_L64(0x9f94d6af56971f1f),
        MCX_L64(0xa7cf3c521c3c09aa), MCX_L64(0xb6aff4a831852a82), MCX_L64(0x512ac5cd65681ce1), MCX_L64(0xe26c6487326b4cd4),
        MCX_L64(0x356d27f4a666a6d0), MCX_L64(0xe791b39ff7c88a19), MCX_L64(0x228730d531a59cb0), MCX_L64(0xf40aab27e2fc0f1b),
        MCX_L64(0xbe9ae358b3e01a2e), MCX_L64(0x416c0ce19cb48261), MCX_L64(0x65c61198dad0657a), MCX_L64(0x997abb1f0a563fda),
    },
    .one = { /* 2^1024 mod m */
        MCX_L64(0x99927f850157a015), MCX_L64(0x7f3a20ef53853178), MCX_L64(0x031c17dc767a824f), MCX_L64(0x606b2950a968e0e0),
        MCX_L64(0x5830c3ade3c3f655), MCX_L64(0x49500b57ce7ad57d), MCX_L64(0xaed53a329a97e31e), MCX_L64(0x1d939b78cd94b32b),
        MCX_L64(0xca92d80b5999592f), MCX_L64(0x186e4c60083775e6), MCX_L64(0xdd78cf2ace5a634f), MCX_L64(0x0bf554d81d03f0e4),
        MCX_L64(0x41651ca74c1fe5d1), MCX_L64(0xbe93f31e634b7d9e), MCX_L64(0x9a39ee67252f9a85), MCX_L64(0x668544e0f5a9c025),
    },
    .rr = { /* 2^2048 mod m */
        MCX_L64(0xe199c8ceed17b0a1), MCX_L64(0x7ffd8b4be3620f7f), MCX_L64(0xca865d5f4f76e245), MCX_L64(0x623ff8dc27ecf5cb),
        MCX_L64(0x229900e1d19bb697), MCX_L64(0xed6aef26ea40c71f), MCX_L64(0xa3aed42cc906365c), MCX_L64(0x17d461b69eab6451),
        MCX_L64(0x2009367d7d666da9), MCX_L64(0x8bcad1dcb63c1d56), MCX_L64(0x5a126231c31a92dc), MCX_L64(0x5fb41b0eb8d94c5b),
        MCX_L64(0xc113d394843f623c), MCX_L64(0x5d8d8e74f159f1eb), MCX_L64(0xae4ba7edb5d48c14), MCX_L64(0x191640b9698af16a),
    },
    .neg_inv = (mcx_limb)UINT64_C(0x290420077c8f2f3d), /* -1/m mod 2^64 */
};

/* q of RFC 6509 appendix A, (p + 1) / 4 */
const struct mcx_mont mcx_mont_q = {
    .m = {
        MCX_L64(0xd99b601ebfaa17fb), MCX_L64(0x203177c42b1eb3a1), MCX_L64(0xff38fa08e2615f6c), MCX_L64(0xa7e535abd5a5c7c7),
        MCX_L64(0xa9f3cf14870f026a), MCX_L64(0x6dabfd2a0c614aa0), MCX_L64(0x144ab173595a0738), MCX_L64(0x389b1921cc9ad335),
        MCX_L64(0x4d5b49fd2999a9b4), MCX_L64(0x39e46ce7fdf22286), MCX_L64(0xc8a1cc354c69672c), MCX_L64(0xbd02aac9f8bf03c6),
        MCX_L64(0x6fa6b8d62cf8068b), MCX_L64(0x905b0338672d2098), MCX_L64(0x9971846636b4195e), MCX_L64(0x265eaec7c2958ff6),
    },
    .one = { /* 2^1024 mod m */
        MCX_L64(0xe65bbf478203701e), MCX_L64(0x3ed73166fd47ca34), MCX_L64(0x04aa23cab1b7c377), MCX_L64(0x10a0bdf8fe1d5150),
        MCX_L64(0x04492584d5a5f180), MCX_L64(0x6df81103b5b8403c), MCX_L64(0x863fd74be7e3d4ad), MCX_L64(0xac5d6935345f0cc1),
        MCX_L64(0x2fdc4411066605c6), MCX_L64(0xa4a572900c5330da), MCX_L64(0x4c3536c0358794f6), MCX_L64(0x91efff442b85e957),
        MCX_L64(0x6217aafaf22fd8b9), MCX_L64(0x9dddecad94f13c6d), MCX_L64(0x6756e59ab7c767c8), MCX_L64(0x19c7e751707ea038),
    },
    .rr = { /* 2^2048 mod m */
        MCX_L64(0xda18351aab65130d), MCX_L64(0x53d2a86ff2ea3168), MCX_L64(0x9cf2730004b7e984), MCX_L64(0x7df33bab26caacf6),
        MCX_L64(0xbd9ffef9a4e7d523), MCX_L64(0xe4baf1d588717ce0), MCX_L64(0x24b1bbc4bc93533a), MCX_L64(0x9ad2dc261db57a34),
        MCX_L64(0x422970b3838d8f48), MCX_L64(0x890491f5401df1e3), MCX_L64(0xf3d2a16bbcb013be), MCX_L64(0x9b9de76d5595e10b),
        MCX_L64(0x58d7c6f9f724bb45), MCX_L64(0xb2074f8f97cac807), MCX_L64(0x76271e07c569cadc), MCX_L64(0x14274810a10f335f),
    },
    .neg_inv = (mcx_limb)UINT64_C(0xb8a1d17d46eaa4cd), /* -1/m mod 2^64 */
};
