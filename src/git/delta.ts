/**
 * git's deltas: one object as what it has from another, and what is new.
 *
 *     size of the base, size of the result     varints, 7 bits a byte, least first
 *     then, until the result is complete:
 *     1ooo ssss  offset bytes, size bytes      copy from the base; the bits say which of 4 offset and 3 size bytes follow
 *     0nnn nnnn  n bytes                       put these
 *
 * Nothing is searched for here: the caller knows what the two have in common. A copied size of 0 would mean 64 KiB and is
 * never written, nor are sizes above 2^24 - 1.
 * @see git's Documentation/gitformat-pack.txt, "Deltified representation".
 * @module
 */

/** A shorter copy takes as many bytes as it saves. */
const MIN_COPY = 8

const MAX_COPY = 0xffffff
const MAX_INSERT = 127

/**
 * The delta that makes `target` of a base.
 *
 * @param copies - Triples of where in the base, where in the target, how many bytes; ascending in the target.
 */
export function encodeDelta(baseSize: number, target: Uint8Array, copies: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(boundOf(target.length, copies))
  let at = writeVarint(out, writeVarint(out, 0, baseSize), target.length)
  let done = 0
  for (let i = 0; i < copies.length; i += 3) {
    const [from = 0, to = 0, length = 0] = [copies[i], copies[i + 1], copies[i + 2]]
    if (length < MIN_COPY) continue
    at = writeInserts(out, at, target, done, to)
    for (let copied = 0; copied < length; copied += MAX_COPY) {
      at = writeCopy(out, at, from + copied, Math.min(MAX_COPY, length - copied))
    }
    done = to + length
  }
  at = writeInserts(out, at, target, done, target.length)
  return out.subarray(0, at)
}

/** How many bytes of the target the copies do not give. */
export function newBytes(targetSize: number, copies: readonly number[]): number {
  let left = targetSize
  for (let i = 2; i < copies.length; i += 3) if ((copies[i] as number) >= MIN_COPY) left -= copies[i] as number
  return left
}

function boundOf(targetSize: number, copies: readonly number[]): number {
  const fresh = newBytes(targetSize, copies)
  const pieces = copies.length / 3 + Math.ceil(targetSize / MAX_COPY)
  // Each stretch of new bytes may end in an insert that is not full.
  return 20 + fresh + Math.ceil(fresh / MAX_INSERT) + 9 * (pieces + 1)
}

function writeInserts(out: Buffer, start: number, target: Uint8Array, from: number, to: number): number {
  let at = start
  for (let done = from; done < to; done += MAX_INSERT) {
    const size = Math.min(MAX_INSERT, to - done)
    out[at++] = size
    out.set(target.subarray(done, done + size), at)
    at += size
  }
  return at
}

function writeCopy(out: Buffer, start: number, offset: number, size: number): number {
  let at = start + 1
  let bits = 0x80
  for (let i = 0; i < 4; i++) {
    const byte = (offset >>> (8 * i)) & 0xff
    if (byte === 0) continue
    bits |= 1 << i
    out[at++] = byte
  }
  for (let i = 0; i < 3; i++) {
    const byte = (size >>> (8 * i)) & 0xff
    if (byte === 0) continue
    bits |= 0x10 << i
    out[at++] = byte
  }
  out[start] = bits
  return at
}

function writeVarint(out: Buffer, start: number, value: number): number {
  let at = start
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[at++] = (rest % 0x80) | 0x80
  out[at++] = rest
  return at
}
