/**
 * A file at one state by WebAssembly (assembly/walk.ts), from all its entries at once: its bytes, or whose its lines are.
 *
 * As in the kernel of pages (lseq/kernel.ts), what is declined, by `undefined`, is done by walk.ts, which has the last
 * word and the errors. In the kernels' memory:
 *
 *     +----------------+---------------------------------+----------------+------------+-------------------------+
 *     | entries: 16    | of each slice its four tables,  | the bytes, or  | of a run   | frames: 28 bytes each,  |
 *     | bytes each     | keys and values                 | records        | its origins| and pairs               |
 *     +----------------+---------------------------------+----------------+------------+-------------------------+
 *
 * @module
 */
import type { EntryBatch } from '../lseq/batch.js'
import type { Coverage } from '../lseq/coverage.js'
import { instantiate, kernelRoom, type Room } from '../lseq/kernel.js'
import { WALK_CODE } from './walk-code.js'

/** Consecutive entries of a batch: `[from, to)`. */
export interface Slice {
  readonly batch: EntryBatch
  readonly from: number
  readonly to: number
}

/** What assembly/walk.ts exports; it says what these are. */
interface Walk {
  gather(
    count: number,
    entries: number,
    keyStarts: number,
    keyEnds: number,
    valueStarts: number,
    valueEnds: number,
    keys: number,
    values: number,
    least: number,
    limit: number,
  ): number
  walk(
    count: number,
    entries: number,
    prefix: number,
    coverage: number,
    rows: number,
    out: number,
    outEnd: number,
    origins: number,
    room: number,
    limit: number,
  ): number
}

const ENTRY = 16
const FRAME = 28
/** Numbers in a record: entry, from, to, line. */
export const RECORD = 4
/** A file has seldom more records than so many for each entry, and a few. */
const RECORDS = [4, 1024] as const
/** Four tables of four bytes. */
const TABLES = 16
/** Pairs of dead lines at the most: in the runs that are open at one time, and once more. */
const PAIR_BYTES = 1 << 18
/** What a multiple of 8 may take, and what copies by eight may run over. */
const SPARE = 16

let kernel: Walk | undefined

/** A slice in the memory: what its entries are numbered from, and what to take off an address for an offset in its values. */
export interface Placed extends Slice {
  readonly first: number
  readonly shift: number
}

/** Whose the lines of a file are. */
export interface FileRecords {
  /** Lines in file order, `RECORD` numbers for each: number of the run's entry, `[from, to)` as addresses, line of the run. */
  readonly records: Uint32Array
  /** By the number of a run's entry: that of its origins, plus 1; 0 where it has none. */
  readonly origins: Uint32Array
  readonly slices: readonly Placed[]
}

/**
 * The bytes of a file.
 *
 * @param slices - All its entries, in order; those that are not covered may be left out.
 * @param prefix - Bytes of a key before the position.
 */
export function contentInKernel(slices: readonly Slice[], prefix: number, covered: Coverage): Uint8Array | undefined {
  const size = sizeOf(slices)
  return size && walked(slices, prefix, covered, size, size.values, false)?.told
}

/** Whose the lines of a file are, likewise. */
export function recordsInKernel(slices: readonly Slice[], prefix: number, covered: Coverage): FileRecords | undefined {
  const size = sizeOf(slices)
  if (size === undefined) return undefined
  const most = 4 * RECORD * (RECORDS[0] * size.count + RECORDS[1])
  const found = walked(slices, prefix, covered, size, most, true)
  if (found === undefined) return undefined
  const { told, origins, placed } = found
  return { records: new Uint32Array(told.buffer), origins, slices: placed }
}

interface Size {
  readonly count: number
  /** Of tables, keys and values, and of values alone. */
  readonly bytes: number
  readonly values: number
}

/** What slices take; undefined where there is nothing in them, or values that do not follow each other. */
function sizeOf(slices: readonly Slice[]): Size | undefined {
  let count = 0
  let bytes = 0
  let values = 0
  for (const { batch, from, to } of slices) {
    if (from === to) continue
    const { keyStarts, keyEnds, valueStarts, valueEnds } = batch
    const keyBytes = (keyEnds[to - 1] as number) - (keyStarts[from] as number)
    const valueBytes = (valueEnds[to - 1] as number) - (valueStarts[from] as number)
    // Those of a page that was unpacked whole are in two places.
    if (keyBytes < 0 || valueBytes < 0) return undefined
    count += to - from
    values += valueBytes
    bytes += TABLES * (to - from) + keyBytes + valueBytes + SPARE
  }
  return count === 0 ? undefined : { count, bytes, values }
}

/** @param most - Bytes of what comes out. */
function walked(
  slices: readonly Slice[],
  prefix: number,
  covered: Coverage,
  { count, bytes }: Size,
  most: number,
  asRecords: boolean,
): { told: Uint8Array; origins: Uint32Array; placed: readonly Placed[] } | undefined {
  const tables = asRecords ? 4 * count : 0
  const room = kernelRoom((ENTRY + FRAME) * count + bytes + most + tables + PAIR_BYTES + 2 * SPARE, covered)
  if (room === undefined) return undefined
  kernel ??= instantiate(WALK_CODE, room.memory) as Walk
  const { buffer, start, coverage, rows } = room
  const placed: Placed[] = []
  const end = place(kernel, room, slices, start + ENTRY * count, placed)
  if (end === undefined) return undefined
  const out = (end + 7) & -8
  const origins = (out + most + 7) & -8
  const frames = origins + tables
  const limit = frames + FRAME * count + PAIR_BYTES
  const memory = new Uint8Array(buffer)
  memory.fill(0, origins, frames)
  const outEnd = asRecords ? out + most : 0
  const told = kernel.walk(count, start, prefix, coverage, rows, out, outEnd, origins, frames, limit)
  if (told < 0) return undefined
  return { told: memory.slice(out, out + told), origins: new Uint32Array(memory.slice(origins, frames).buffer), placed }
}

/** Puts slices into the memory, one behind the other, and returns where the last one ends. */
function place(
  { gather }: Walk,
  { buffer, start }: Room,
  slices: readonly Slice[],
  end: number,
  placed: Placed[],
): number | undefined {
  const memory = new Uint8Array(buffer)
  let first = 0
  let at = end
  for (const { batch, from, to } of slices) {
    const count = to - from
    if (count === 0) continue
    const { keyStarts, keyEnds, valueStarts, valueEnds } = batch
    const tables = (at + 3) & -4
    const step = 4 * count
    new Uint32Array(buffer, tables, count).set(keyStarts.subarray(from, to))
    new Uint32Array(buffer, tables + step, count).set(keyEnds.subarray(from, to))
    new Uint32Array(buffer, tables + 2 * step, count).set(valueStarts.subarray(from, to))
    new Uint32Array(buffer, tables + 3 * step, count).set(valueEnds.subarray(from, to))
    const keys = tables + 4 * step
    const firstKey = keyStarts[from] as number
    const values = keys + (keyEnds[to - 1] as number) - firstKey
    const firstValue = valueStarts[from] as number
    at = values + (valueEnds[to - 1] as number) - firstValue
    memory.set(batch.keys.subarray(firstKey, firstKey + values - keys), keys)
    memory.set(batch.values.subarray(firstValue, firstValue + at - values), values)
    const shift = values - firstValue
    const [second, third, fourth] = [tables + step, tables + 2 * step, tables + 3 * step]
    const entries = start + ENTRY * first
    if (gather(count, entries, tables, second, third, fourth, keys - firstKey, shift, values, at) < 0) return undefined
    placed.push({ batch, from, to, first, shift })
    first += count
  }
  return at
}
