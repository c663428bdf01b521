/* SPDX-License-Identifier: Apache-2.0 */
/* Parameter set 1 (RFC 6509 appendix A) and the constants of ted.h, all in Montgomery form: value 2^1024 mod p. */
#include "crypto/ec/curve.h"
#include "crypto/ec/ted_const.h"

const struct mcx_ec mcx_ec_p = {
    .x = { {
        MCX_L64(0xbf9c7ec6e0162bc2),
        MCX_L64(0xddecc6e310a89289),
        MCX_L64(0x5d599df09e499d81),
        MCX_L64(0x9a96ea286d358218),
        MCX_L64(0x01aec7d370c5f8db),
        MCX_L64(0xe72e49958cf5d066),
        MCX_L64(0xc2e7297d3e91d7f8),
        MCX_L64(0x8621db92da9f2f5a),
        MCX_L64(0x4b26c8675a5679ed),
        MCX_L64(0x233385df2c56aac1),
        MCX_L64(0xb88e74d4c6a13f99),
        MCX_L64(0x1214b173ffa8ec11),
        MCX_L64(0xa0386a271f3f9fef),
        MCX_L64(0xbd9b1b4ec0e7b44e),
        MCX_L64(0xafe528dceecd3496),
        MCX_L64(0x8dfff96a1c49f80b),
    } },
    .y = { {
        MCX_L64(0xb4a4753ac03c0c83),
        MCX_L64(0x68e69d18abcdcd75),
        MCX_L64(0xe3839b88f775b649),
        MCX_L64(0x803f949abf58f352),
        MCX_L64(0x5f702679bd0bc15c),
        MCX_L64(0x85bf5d168ff298c2),
        MCX_L64(0x3f6ebd98c6c7976e),
        MCX_L64(0x20618af445e3e1b4),
        MCX_L64(0x67d5598e54e64093),
        MCX_L64(0xb047283b504fed9e),
        MCX_L64(0x450cabfd70d87517),
        MCX_L64(0x47d628bf3f5addbe),
        MCX_L64(0x0037ef3078cb4cca),
        MCX_L64(0x4e148d3c6b1c4908),
        MCX_L64(0xe256d3294fcfd837),
        MCX_L64(0x2aa1207bde3c01f3),
    } },
};

/* g */
const struct mcx_fp mcx_ec_g = { {
    MCX_L64(0x170a46d2335c1685),
    MCX_L64(0xeac9e971e1007a58),
    MCX_L64(0x40e8f3df43ca4a73),
    MCX_L64(0x2646f81582642475),
    MCX_L64(0x3af49bb4b36576d1),
    MCX_L64(0xd89e2d1472bf1afb),
    MCX_L64(0x27be882c2fd151e6),
    MCX_L64(0xaddedc858f88717c),
    MCX_L64(0xd6d859bf16ac6c6f),
    MCX_L64(0x0e741a1b2d8eae58),
    MCX_L64(0x6faf7a0061c1f30d),
    MCX_L64(0x66dbd09a9b67e096),
    MCX_L64(0x21f11c067d3b4f7d),
    MCX_L64(0x6152ba02c727c98e),
    MCX_L64(0xafd58891e86cb221),
    MCX_L64(0x59e93c6a6bd3baf4),
} };

/* c = sqrt(-3), the root that is a square */
const struct mcx_fp mcx_ted_c = { {
    MCX_L64(0x8d6f720f278709e8),
    MCX_L64(0xd412bf4edd844579),
    MCX_L64(0x191fc2a522c50a6e),
    MCX_L64(0xe35c1b1e5920b7ef),
    MCX_L64(0x262e71cdca66213c),
    MCX_L64(0xcf37a9ef40bdc9a6),
    MCX_L64(0xfbfae7dedea50b7f),
    MCX_L64(0xbddf8873b8ecb9cd),
    MCX_L64(0x6d63e82a2b372dac),
    MCX_L64(0x517cfbbb1971c5ae),
    MCX_L64(0x8a324d2f8b942cc2),
    MCX_L64(0x23a4c97fd4694a0d),
    MCX_L64(0x0a0de0224c3e1b5e),
    MCX_L64(0x596ff16434aaf69e),
    MCX_L64(0x313accb62e5cd294),
    MCX_L64(0x5e1226c81e1f9787),
} };

/* k = sqrt(-2c) */
const struct mcx_fp mcx_ted_k = { {
    MCX_L64(0x0b8797e46672021d),
    MCX_L64(0xde028fc58d19c0ee),
    MCX_L64(0xf7c474af6b085d23),
    MCX_L64(0x8b556de1adc618f3),
    MCX_L64(0x1c2708294b70599e),
    MCX_L64(0xc113c8f49df31558),
    MCX_L64(0x564d210c407d681f),
    MCX_L64(0x229805681ba24adf),
    MCX_L64(0xd83e1ba634aff3f0),
    MCX_L64(0x901e604fdba8da19),
    MCX_L64(0x7f55642ecf9633b0),
    MCX_L64(0x63eb8214d35dcf77),
    MCX_L64(0x6f28dad015e6fb4e),
    MCX_L64(0x7e64ed79f3c10be8),
    MCX_L64(0xdc1ebd4ddbe1156b),
    MCX_L64(0x394cfbd455497b90),
} };

/* k c */
const struct mcx_fp mcx_ted_kc = { {
    MCX_L64(0xe3813fa97e917e33),
    MCX_L64(0xdb9c68c11c74e09e),
    MCX_L64(0xe1f399df73b0aeed),
    MCX_L64(0x9afb860be24a7ca8),
    MCX_L64(0xc1228475605d008e),
    MCX_L64(0x7b96b54b329e74a7),
    MCX_L64(0x9dbfec11fcf73578),
    MCX_L64(0x722400fd56aef68a),
    MCX_L64(0x03dbcbdc70d232c9),
    MCX_L64(0x506a3c36d366d3f7),
    MCX_L64(0xd79dff32bc3c9c6e),
    MCX_L64(0x99ed86388c1f0367),
    MCX_L64(0xd2d04c226159c787),
    MCX_L64(0x93fdaf2b055831f8),
    MCX_L64(0x7ae912a5575f9130),
    MCX_L64(0x84416e6ef7ae3237),
} };
