/**
 * Undoes Snappy, with which LevelDB packs some blocks of its tables.
 * @see format_description.txt of Snappy.
 * @module
 */
import { ByteReader } from './varint.js'

/** Snappy never expands more than this: a copy of 3 bytes makes at most 64. */
const MOST = 32

/** Undoes Snappy; `undefined` when `packed` is not Snappy's. */
export function snappyDecode(packed: Uint8Array): Uint8Array | undefined {
  const reader = new ByteReader(packed)
  const size = reader.varint()
  if (!reader.ok || size > packed.length * MOST) return undefined
  const plain = new Uint8Array(size)
  let end = 0
  while (!reader.done) {
    const tag = reader.byte()
    if ((tag & 3) === 0) {
      // Up to 60 bytes the tag tells the length; 60..63 say that 1..4 bytes with the length follow.
      const short = tag >>> 2
      const literal = reader.take((short < 60 ? short : readLittle(reader.take(short - 59))) + 1)
      if (end + literal.length > size) return undefined
      plain.set(literal, end)
      end += literal.length
      continue
    }
    const length = (tag & 3) === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1
    const near = (tag & 3) === 1 ? (tag >>> 5) << 8 : 0
    const back = near + readLittle(reader.take([1, 2, 4][(tag & 3) - 1] as number))
    if (back === 0 || back > end || end + length > size) return undefined
    for (const stop = end + length; end < stop; end++) plain[end] = plain[end - back] as number
  }
  return reader.ok && end === size ? plain : undefined
}

function readLittle(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0)
}
