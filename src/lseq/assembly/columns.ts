/**
 * The columns of a page (../columns.ts, which says what they are) written out as entries: in AssemblyScript, which is
 * TypeScript's notation for WebAssembly. `npm run kernel` compiles it; what comes out is ../kernel-code.ts, and
 * ../kernel.ts calls it.
 *
 * Why at all: a short command decodes some fifty pages, and V8 needs half of them to find out that it should compile the
 * loop. This is compiled in a tenth of a millisecond.
 *
 * What is given here is what `decodeColumns` gives, byte for byte. Whatever is not as a writer writes it is declined (-1):
 * damage, but also numbers in more bytes than they need. The caller then asks the other one, which has the last word and
 * the errors. So nothing here says what is wrong, and all that has to be right is that nothing is accepted that should not
 * be: every address is compared with the end of its column before it is read.
 *
 * The key of an entry is made in place of the one before it, of which it keeps the beginning, and copied out only if the
 * entry is wanted. Memory is the caller's: it sees to it that all tables fit, and has 8 bytes to spare behind each of key,
 * keys and values, since keys are copied by eight bytes.
 */

import { limitOf } from './coverage'

const LSEQ_BYTES: i32 = 8
const SEQ_LIMIT: i64 = 1 << 40
const KEY_LIMIT: i64 = 1 << 16
const VALUE_LIMIT: i64 = 1 << 28

/** First bytes from here on begin an integer of several bytes. */
const LONG: i32 = 128
/** Integers of more bits are declined. */
const BITS: i64 = 49

/** Where the tables of the entries begin: unsigned 32-bit numbers. Those of keys count from `keys`, those of values from `values`. */
export let keyStarts: i32 = 0
export let keyEnds: i32 = 0
export let valueStarts: i32 = 0
export let valueEnds: i32 = 0
export let keys: i32 = 0
export let keysEnd: i32 = 0
export let values: i32 = 0
export let valuesEnd: i32 = 0
/** Bytes of the last key of all, which is where the first one was. */
export let keyLength: i32 = 0

/** Where the integer that `long` gave last ends. */
let next: i32 = 0

/** The integer at `address`; -1 where it does not end before `end`, or is too large. */
function long(address: i32, end: i32): i64 {
  let value: i64 = 0
  let shift: i64 = 0
  for (let at = address; at < end && shift < BITS; at++) {
    const one = <i32>load<u8>(at)
    value |= (<i64>(one & 127)) << shift
    if (one < LONG) {
      next = at + 1
      return value
    }
    shift += 7
  }
  return -1
}

/** Eight bytes as a number that compares as they do: at the end of a key they are seq and stream. */
function wordAt(address: i32): u64 {
  return bswap(load<u64>(address))
}

/** Whether two subjects of the same length are the same: keys without their lseqs. */
function sameSubject(a: i32, b: i32, keyBytes: i32): bool {
  for (let i = 0; i < keyBytes - LSEQ_BYTES; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return false
  return true
}

/**
 * Writes out the entries of a body.
 *
 * @param count, keyBytes - What the page's header says.
 * @param key - The first key.
 * @param body - `bodyBytes` of it, of which those before `body + loaded` are here: all, or at least the first seven columns.
 * @param tables - Where there is room for what comes out, a multiple of 8: 24 bytes and once more 16 for each entry, 24,
 *   `keyBytes + 8`, and where there are rows, once more `bodyBytes + 8`.
 * @param coverage, rows - Which entries to give, as a table of so many rows, and then their values are copied; -1 for all, and
 *   then `values` is the body.
 * @param latest - Of covered entries with one subject give only the last.
 * @returns How many entries; -1 for what is declined.
 */
export function decode(
  count: i32,
  keyBytes: i32,
  key: i32,
  firstLength: i32,
  body: i32,
  bodyBytes: i32,
  loaded: i32,
  tables: i32,
  coverage: i32,
  rows: i32,
  latest: bool,
): i32 {
  // The columns: eight lengths, then the first seven, records, and texts to the end of the body.
  const loadedEnd = body + loaded
  const bodyEnd = body + bodyBytes
  next = body
  const ends = tables
  let total: i64 = 0
  for (let i = 0; i < 8; i++) {
    const length = long(next, loadedEnd)
    if (length < 0) return -1
    total += length
    store<i32>(ends + 4 * i, <i32>total)
  }
  let drop = next
  if (total > bodyEnd - drop) return -1
  const dropEnd = drop + load<i32>(ends)
  const ownEnd = drop + load<i32>(ends, 4)
  const middleEnd = drop + load<i32>(ends, 8)
  const backEnd = drop + load<i32>(ends, 12)
  const deltaEnd = drop + load<i32>(ends, 16)
  const streamEnd = drop + load<i32>(ends, 20)
  const lengthEnd = drop + load<i32>(ends, 24)
  const recordsEnd = drop + load<i32>(ends, 28)
  let own = dropEnd
  let middle = ownEnd
  let back = middleEnd
  let delta = backEnd
  let stream = deltaEnd
  let length = streamEnd
  let records = lengthEnd
  let texts = recordsEnd
  if (lengthEnd > loadedEnd) return -1

  // Of every entry, the first key's lseq before them: its lseq, and the place of its stream. Streams by place: what is
  // covered of them, and their ids.
  const lseqs = tables
  const limits = lseqs + 8 * (count + 1)
  const places = limits + 8 * (count + 1)
  const streams = places + 4 * (count + 1)
  keyStarts = streams + 4 * (count + 1)
  keyEnds = keyStarts + 4 * count
  valueStarts = keyEnds + 4 * count
  valueEnds = valueStarts + 4 * count
  keys = valueEnds + 4 * count
  const copied = rows >= 0
  values = copied ? keys + keyBytes + 8 : body

  const first = wordAt(key + firstLength - LSEQ_BYTES)
  store<u64>(lseqs, first)
  store<i32>(places, 0)
  store<i32>(streams, <i32>first & 0xffffff)
  store<i64>(limits, limitOf(<i32>first & 0xffffff, coverage, rows))
  let known = 0
  let previous = firstLength
  let left = keyBytes
  let kept = 0
  let keysAt = keys
  let valuesAt = values
  for (let i = 0; i < count; i++) {
    if (drop >= dropEnd || own >= ownEnd || back >= backEnd) return -1
    if (delta >= deltaEnd || stream >= streamEnd || length >= lengthEnd) return -1
    let dropped = <i64>load<u8>(drop++)
    if (dropped >= LONG) {
      dropped = long(drop - 1, dropEnd)
      if (dropped < 0) return -1
      drop = next
    }
    let added = <i64>load<u8>(own++)
    if (added >= LONG) {
      added = long(own - 1, ownEnd)
      if (added < 0) return -1
      own = next
    }
    if (dropped > previous || added > middleEnd - middle) return -1
    const same = previous - <i32>dropped
    const size = same + <i32>added + LSEQ_BYTES
    left -= size
    if (left < 0 || size > <i32>KEY_LIMIT) return -1

    // Its lseq
    const near = i - <i32>load<u8>(back++)
    if (near < 0) return -1
    let step = <i64>load<u8>(delta++)
    if (step >= LONG) {
      step = long(delta - 1, deltaEnd)
      if (step < 0) return -1
      delta = next
    }
    const seq = <i64>(load<u64>(lseqs + 8 * near) >> 24) + ((step >> 1) ^ -(step & 1))
    if (seq < 0 || seq >= SEQ_LIMIT) return -1
    let place = <i32>load<u8>(stream++)
    if (place >= LONG) {
      const far = long(stream - 1, streamEnd)
      if (far < 0 || far > known + 1) return -1
      place = <i32>far
      stream = next
    }
    if (place === 0) {
      place = load<i32>(places + 4 * near)
    } else if (place > known) {
      if (place > known + 1 || stream + 3 > streamEnd) return -1
      known = place
      const id = ((<i32>load<u8>(stream)) << 16) | ((<i32>load<u8>(stream, 1)) << 8) | <i32>load<u8>(stream, 2)
      stream += 3
      store<i32>(streams + 4 * place, id)
      store<i64>(limits + 8 * place, limitOf(id, coverage, rows))
    }
    const lseq = ((<u64>seq) << 24) | <u64>load<i32>(streams + 4 * place)
    store<u64>(lseqs + 8 * (i + 1), lseq)
    store<i32>(places + 4 * (i + 1), place)

    // Its key, in place of the one before. Compared on the way: above 0 once it is greater.
    let at = key + same
    const end = key + previous
    let order = 0
    for (const stop = at + <i32>added; at < stop; at++) {
      const one = <i32>load<u8>(middle++)
      if (order === 0) order = at < end ? one - <i32>load<u8>(at) : 1
      store<u8>(at, one)
    }
    if (order === 0) {
      const rest = end - at
      if (rest >= LSEQ_BYTES) {
        const there = wordAt(at)
        if (lseq !== there) order = lseq > there ? 1 : -1
        else order = rest === LSEQ_BYTES ? 0 : -1
      } else {
        // The one before has fewer bytes left than an lseq; if they are the same, this key goes on from it.
        const shift = <u64>(64 - 8 * rest)
        order = rest === 0 || lseq >> shift >= wordAt(at) >> shift ? 1 : -1
      }
    }
    // The first one is compared with itself.
    if (i === 0 ? order !== 0 : order <= 0) return -1
    store<u64>(at, bswap(lseq))
    previous = size

    // Its value
    let coded = <i64>load<u8>(length++)
    if (coded >= LONG) {
      coded = long(length - 1, lengthEnd)
      if (coded < 0 || coded > VALUE_LIMIT) return -1
      length = next
    }
    const bytes = <i32>(coded >> 1)
    let value: i32
    if ((coded & 1) === 1) {
      if (bytes > bodyEnd - texts) return -1
      value = texts
      texts += bytes
    } else {
      if (bytes > recordsEnd - records) return -1
      value = records
      records += bytes
    }

    if (copied && seq > load<i64>(limits + 8 * place)) continue
    if (latest && kept > 0) {
      const last = keys + load<i32>(keyStarts + 4 * (kept - 1))
      if (keysAt - last === size && sameSubject(last, key, size)) {
        kept--
        keysAt = last
        valuesAt = values + load<i32>(valueStarts + 4 * kept)
      }
    }
    store<i32>(keyStarts + 4 * kept, keysAt - keys)
    store<i32>(keyEnds + 4 * kept, keysAt - keys + size)
    for (let k = 0; k < size; k += 8) store<u64>(keysAt + k, load<u64>(key + k))
    keysAt += size
    if (copied) {
      memory.copy(valuesAt, value, bytes)
      value = valuesAt
      valuesAt += bytes
    }
    store<i32>(valueStarts + 4 * kept, value - values)
    store<i32>(valueEnds + 4 * kept, value - values + bytes)
    kept++
  }
  keysEnd = keysAt
  valuesEnd = valuesAt
  keyLength = previous
  const done = drop === dropEnd && own === ownEnd && middle === middleEnd && back === backEnd && delta === deltaEnd
  return done &&
    stream === streamEnd &&
    length === lengthEnd &&
    records === recordsEnd &&
    texts === bodyEnd &&
    left === 0
    ? kept
    : -1
}
