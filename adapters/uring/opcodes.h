/* SPDX-License-Identifier: MIT */
#ifndef DECANT_URING_OPCODES_H
#define DECANT_URING_OPCODES_H
/* opcodes.h - what io_uring_enter(2) has and liburing 2.3 does not name. */

#define URING_OP_READV_FIXED  60 /* Linux 6.15 */
#define URING_OP_WRITEV_FIXED 61

#define URING_SEND_ZC_REPORT_USAGE (1u << 3)  /* ioprio; Linux 6.2 */
#define URING_NOTIF_COPIED	   (1u << 31) /* result of a notification */
#define URING_FEAT_REG_REG_RING	   (1u << 13) /* Linux 6.3: later than the two above */

#define URING_BUFFER_BYTES_MAX ((size_t)1 << 30) /* of one registered buffer */
#define URING_BUFFERS_MAX      16384u		 /* registered buffers of a ring */

#endif
