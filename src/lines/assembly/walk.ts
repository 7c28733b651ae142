/**
 * The walk over a file's entries that meets the lines of one state (../walk.ts, which says how), in AssemblyScript.
 *
 * All entries of the file are in memory, and the file's bytes come out, or records of which lines are whose. Whatever no
 * writer makes is declined (-1), and some things that a writer makes but rarely: lines beyond the 65,535th of a run that were
 * deleted, for one. The caller then walks in TypeScript, which has the last word and the errors.
 *
 * The runs that are open lie inside each other, so the position of each is the beginning of that of the next, and the key
 * of the last one is enough to compare with. An open run is a frame:
 *
 *     +--------------------+--------+---------+----------+----------+----------+-------+
 *     | length of position | at     | end     | line     | dead     | dead end | entry |     4 bytes each
 *     +--------------------+--------+---------+----------+----------+----------+-------+
 *       bytes of the key     where its next     number     lines that are dead:  number
 *                            line starts        of it      pairs from, to, not
 *                                                          told yet
 *
 * A record says where some lines of a run are that follow each other, `[from, to)`, and which number the first one has:
 *
 *     +---------------------+--------+--------+--------+
 *     | number of the entry | from   | to     | line   |     4 bytes each
 *     +---------------------+--------+--------+--------+
 */
import { limitOf } from '../../lseq/assembly/coverage'

const LSEQ_BYTES: i32 = 8
const FRAME: i32 = 28
const RECORD: i32 = 16
const PAIR: i32 = 8
const NEWLINE: u8 = 10
// biome-ignore lint/correctness/noPrecisionLoss: a number of 64 bits here
const NEWLINES: u64 = 0x0a0a0a0a0a0a0a0a
// biome-ignore lint/correctness/noPrecisionLoss: the same
const LOW_BITS: u64 = 0x7f7f7f7f7f7f7f7f
const SHORT_O: u8 = 0x6f
const TINY: i32 = 0x30
/** More lines than any run has. */
const ALL: i32 = 0x7fffffff
/** What a zipped pair may take here: two numbers of two bytes. */
const PAIR_BYTES: i32 = 4

/** What `pair` read: the first line, and how many more. */
let first: i32 = 0
let more: i32 = 0

/** Reads a zipped pair (rdx/zip.ts): whether it is one, as short as it can be. */
function pair(at: i32, length: i32): bool {
  first = length > 0 ? <i32>load<u8>(at) : 0
  more = 0
  if (length === 0) return true
  if (length === 1) return first !== 0
  const second = <i32>load<u8>(at, 1)
  if (length === 2) {
    more = second
    return second !== 0
  }
  first |= second << 8
  more = <i32>load<u8>(at, 2)
  if (length === 3) return second !== 0
  const last = <i32>load<u8>(at, 3)
  more |= last << 8
  return last !== 0
}

/** Whether these are origins (../origin.ts). */
function areOrigins(value: i32, end: i32): bool {
  let least = 0
  for (let at = value; at < end; ) {
    if (at + 2 > end || load<u8>(at) !== SHORT_O) return false
    const length = <i32>load<u8>(at, 1) - LSEQ_BYTES
    at += 2 + LSEQ_BYTES
    if (length < 0 || length > PAIR_BYTES || at + length > end || !pair(at, length) || first < least) return false
    least = first + more + 1
    at += length
  }
  return value < end
}

/** How many bytes two byte strings of at least `length` begin with in common. */
function shared(a: i32, b: i32, length: i32): i32 {
  let k = 0
  while (k < length && load<u8>(a + k) === load<u8>(b + k)) k++
  return k
}

/** How many lines of an open run come before what lies inside it (`linesBefore` in ../position.ts). */
function linesBefore(at: i32): i32 {
  const one = <i32>load<u8>(at)
  const two = <i32>load<u8>(at, 1)
  if (one <= 0xdf) return one
  if (one < 0xf0) return (((one & 0x0f) << 8) | two) + 0xe0
  if (one > 0xf7) return 0x10df + 0x80000
  return (((one & 0x07) << 16) | (two << 8) | <i32>load<u8>(at, 2)) + 0x10e0
}

/** Goes on to the start of line `to`, or the end. */
function skip(frame: i32, to: i32): void {
  const end = load<i32>(frame, 8)
  if (to === ALL) {
    store<i32>(frame, end, 4)
    return
  }
  let at = load<i32>(frame, 4)
  let line = load<i32>(frame, 12)
  // Eight bytes at a time as long as the line is not in them.
  while (at + 8 <= end) {
    const word = load<u64>(at) ^ NEWLINES
    const count = <i32>popcnt(~(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS))
    if (line + count >= to) break
    line += count
    at += 8
  }
  while (line < to && at < end) if (load<u8>(at++) === NEWLINE) line++
  store<i32>(frame, at, 4)
  store<i32>(frame, line, 12)
}

/** Where records end at the latest; 0 where bytes are wanted. And whether there were more. */
let recordsEnd: i32 = 0
let tooMany: bool = false

/** Tells a run's lines before line `to`, but for those that are dead: puts them to `out`. Returns where they end. */
function tell(frame: i32, to: i32, out: i32): i32 {
  const end = load<i32>(frame, 8)
  const deadEnd = load<i32>(frame, 20)
  let told = out
  while (load<i32>(frame, 12) < to && load<i32>(frame, 4) < end) {
    const dead = load<i32>(frame, 16)
    const from = dead < deadEnd ? load<i32>(dead) : ALL
    if (from > load<i32>(frame, 12)) {
      const at = load<i32>(frame, 4)
      const line = load<i32>(frame, 12)
      skip(frame, min(from, to))
      const next = load<i32>(frame, 4)
      if (recordsEnd === 0) {
        memory.copy(told, at, next - at)
        told += next - at
      } else if (told + RECORD > recordsEnd) {
        tooMany = true
        return told
      } else {
        store<i32>(told, load<i32>(frame, 24))
        store<i32>(told, at, 4)
        store<i32>(told, next, 8)
        store<i32>(told, line, 12)
        told += RECORD
      }
    } else {
      const until = load<i32>(dead, 4)
      skip(frame, min(until, to))
      if (load<i32>(frame, 12) >= until) store<i32>(frame, dead + PAIR, 16)
    }
  }
  return told
}

/**
 * Takes lines out of the last open run: the union of its dead lines with those a tombstone names (../tombstone.ts).
 *
 * The run's pairs are the last ones at `dead`; the union is made behind them, and then put in their place.
 *
 * @returns Where the pairs end; -1 for what is declined.
 */
function bury(frame: i32, value: i32, end: i32, limit: i32): i32 {
  let old = load<i32>(frame, 16)
  const oldEnd = load<i32>(frame, 20)
  let union = oldEnd
  let least = 0
  if (value >= end) return -1
  for (let at = value; ; ) {
    let from = ALL
    let to = ALL
    if (at < end) {
      const length = <i32>load<u8>(at++) - TINY
      if (length < 0 || length > PAIR_BYTES || at + length > end || !pair(at, length) || first < least) return -1
      at += length
      from = first
      to = first + more + 1
      least = to + 1
    }
    // The old ones that begin before it, or all.
    while (old < oldEnd && load<i32>(old) <= from) {
      union = joined(union, oldEnd, load<i32>(old), load<i32>(old, 4), limit)
      old += PAIR
    }
    if (from === ALL) break
    union = joined(union, oldEnd, from, to, limit)
    if (union < 0) return -1
  }
  if (union < 0) return -1
  const start = load<i32>(frame, 16)
  memory.copy(start, oldEnd, union - oldEnd)
  store<i32>(frame, start + (union - oldEnd), 20)
  return start + (union - oldEnd)
}

/** Adds a pair to a union, whose last pair may reach up to it. */
function joined(union: i32, start: i32, from: i32, to: i32, limit: i32): i32 {
  if (union < 0) return -1
  if (union > start && load<i32>(union - 4) >= from) {
    if (load<i32>(union - 4) < to) store<i32>(union - 4, to)
    return union
  }
  if (union + PAIR > limit) return -1
  store<i32>(union, from)
  store<i32>(union, to, 4)
  return union + PAIR
}

/**
 * Writes down where some entries of a file are: 16 bytes for each, as \`walk\` takes them.
 *
 * @param keyStarts, keyEnds, valueStarts, valueEnds - Tables of a batch (../../lseq/batch.ts).
 * @param keys, values - What to add to them, so that they are addresses.
 * @param least, limit - Values lie in between, or it is declined: with -1, else 0.
 */
export function gather(
  count: i32,
  entries: i32,
  keyStarts: i32,
  keyEnds: i32,
  valueStarts: i32,
  valueEnds: i32,
  keys: i32,
  values: i32,
  least: i32,
  limit: i32,
): i32 {
  for (let i = 0; i < count; i++) {
    const value = load<i32>(valueStarts + 4 * i) + values
    const end = load<i32>(valueEnds + 4 * i) + values
    if (value < least || end > limit) return -1
    const entry = entries + 16 * i
    store<i32>(entry, load<i32>(keyStarts + 4 * i) + keys)
    store<i32>(entry, load<i32>(keyEnds + 4 * i) + keys, 4)
    store<i32>(entry, value, 8)
    store<i32>(entry, end, 12)
  }
  return 0
}

/**
 * A file at one state: its bytes, or records of its lines.
 *
 * @param count - Entries, all of the file, in the order of their keys.
 * @param entries - Of each: where its key begins, where that ends, where its value begins, where that ends.
 * @param prefix - Bytes of a key before the position.
 * @param coverage, rows - What the state covers.
 * @param out - Room for as many bytes as there are in all values, or for records.
 * @param outEnd - Where records end at the latest; 0 where bytes are wanted.
 * @param origins - With records: 4 bytes for each entry, zero: for a run comes the number of its origins' entry, plus 1.
 * @param room, limit - Room for frames, 28 bytes for each entry, and behind them for pairs.
 * @returns How many bytes; -1 for what is declined.
 */
export function walk(
  count: i32,
  entries: i32,
  prefix: i32,
  coverage: i32,
  rows: i32,
  out: i32,
  outEnd: i32,
  origins: i32,
  room: i32,
  limit: i32,
): i32 {
  recordsEnd = outEnd
  tooMany = false
  const pairs = room + FRAME * count
  let frame = room - FRAME
  let position = 0
  let told = out
  let stream = -1
  let covered: i64 = -1
  for (let i = 0; i < count; i++) {
    const entry = entries + 16 * i
    const start = load<i32>(entry) + prefix
    const end = load<i32>(entry, 4)
    const value = load<i32>(entry, 8)
    const valueEnd = load<i32>(entry, 12)
    const at = end - LSEQ_BYTES
    if (at <= start || value >= valueEnd) return -1
    // No position's digits end in 0: this is beside a run, the top one unless that is not covered.
    const beside = load<u8>(at - 1) === 0
    const traced = beside && load<u8>(value) === SHORT_O
    const lseq = bswap(load<u64>(at))
    const own = <i32>lseq & 0xffffff
    if (own !== stream) {
      stream = own
      covered = limitOf(stream, coverage, rows)
    }
    if (!traced && <i64>(lseq >> 24) > covered) continue
    const length = end - start
    let depth = 0
    if (frame >= room) {
      const same = shared(start, position, min(length, load<i32>(frame)))
      while (frame >= room && load<i32>(frame) > same) {
        told = tell(frame, ALL, told)
        frame -= FRAME
      }
      if (frame >= room) depth = load<i32>(frame)
    }
    if (beside) {
      if (depth === 0 || length !== depth + 1 + LSEQ_BYTES) continue
      if (!traced) {
        if (bury(frame, value, valueEnd, limit) < 0) return -1
      } else {
        const other = <i32>bswap(load<u64>(position + depth - LSEQ_BYTES)) & 0xffffff
        if (other !== own || !areOrigins(value, valueEnd)) return -1
        if (outEnd > 0) store<i32>(origins + 4 * load<i32>(frame, 24), i + 1)
      }
      continue
    }
    let dead = pairs
    if (depth > 0) {
      if (length <= depth + LSEQ_BYTES) return -1
      told = tell(frame, linesBefore(start + depth), told)
      dead = load<i32>(frame, 20)
    }
    frame += FRAME
    position = start
    store<i32>(frame, length)
    store<i32>(frame, value, 4)
    store<i32>(frame, valueEnd, 8)
    store<i32>(frame, 0, 12)
    store<i32>(frame, dead, 16)
    store<i32>(frame, dead, 20)
    store<i32>(frame, i, 24)
  }
  for (; frame >= room; frame -= FRAME) told = tell(frame, ALL, told)
  return tooMany ? -1 : told - out
}
