/**
 * A file's bytes at one state by WebAssembly (assembly/walk.ts), from all its entries at once.
 *
 * As in the kernel of pages (lseq/kernel.ts), what is declined, by `undefined`, is done by content.ts, which has the last
 * word and the errors. In the kernels' memory:
 *
 *     +----------------+---------------------------------+--------+-------------------------+
 *     | entries: 16    | of each slice its four tables,  | the    | frames: 24 bytes each,  |
 *     | bytes each     | keys and values                 | bytes  | and pairs               |
 *     +----------------+---------------------------------+--------+-------------------------+
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
    room: number,
    limit: number,
  ): number
}

const ENTRY = 16
const FRAME = 24
/** Four tables of four bytes. */
const TABLES = 16
/** Pairs of dead lines at the most: in the runs that are open at one time, and once more. */
const PAIR_BYTES = 1 << 18
/** What a multiple of 8 may take, and what copies by eight may run over. */
const SPARE = 16

let kernel: Walk | undefined

/**
 * The bytes of a file.
 *
 * @param slices - All its entries, in order; those that are not covered may be left out.
 * @param prefix - Bytes of a key before the position.
 */
export function contentInKernel(slices: readonly Slice[], prefix: number, covered: Coverage): Uint8Array | undefined {
  let [count, bytes, values] = [0, 0, 0]
  for (const { batch, from, to } of slices) {
    if (from === to) continue
    const { keyStarts, keyEnds, valueStarts, valueEnds } = batch
    const keyBytes = (keyEnds[to - 1] as number) - (keyStarts[from] as number)
    const valueBytes = (valueEnds[to - 1] as number) - (valueStarts[from] as number)
    // Values that do not follow each other are those of a page that was unpacked whole.
    if (keyBytes < 0 || valueBytes < 0) return undefined
    count += to - from
    values += valueBytes
    bytes += TABLES * (to - from) + keyBytes + valueBytes + SPARE
  }
  if (count === 0) return undefined
  const room = kernelRoom((ENTRY + FRAME) * count + bytes + values + PAIR_BYTES + SPARE, covered)
  if (room === undefined) return undefined
  kernel ??= instantiate(WALK_CODE, room.memory) as Walk
  const { buffer, start, coverage, rows } = room
  const out = place(kernel, room, slices, start + ENTRY * count)
  if (out === undefined) return undefined
  const frames = (out + values + 7) & -8
  const limit = frames + FRAME * count + PAIR_BYTES
  const told = kernel.walk(count, start, prefix, coverage, rows, out, frames, limit)
  return told < 0 ? undefined : new Uint8Array(buffer).slice(out, out + told)
}

/** Puts slices into the memory, one behind the other, and returns where the last one ends. */
function place({ gather }: Walk, { buffer, start }: Room, slices: readonly Slice[], end: number): number | undefined {
  const memory = new Uint8Array(buffer)
  let entries = start
  let at = end
  for (const { batch, from, to } of slices) {
    const count = to - from
    if (count === 0) continue
    const { keyStarts, keyEnds, valueStarts, valueEnds } = batch
    const tables = (at + 3) & -4
    ;[keyStarts, keyEnds, valueStarts, valueEnds].forEach((table, i) => {
      new Uint32Array(buffer, tables + 4 * i * count, count).set(table.subarray(from, to))
    })
    const keys = tables + TABLES * count
    const firstKey = keyStarts[from] as number
    const values = keys + (keyEnds[to - 1] as number) - firstKey
    const firstValue = valueStarts[from] as number
    at = values + (valueEnds[to - 1] as number) - firstValue
    memory.set(batch.keys.subarray(firstKey, firstKey + values - keys), keys)
    memory.set(batch.values.subarray(firstValue, firstValue + at - values), values)
    const step = 4 * count
    const [second, third, fourth] = [tables + step, tables + 2 * step, tables + 3 * step]
    if (gather(count, entries, tables, second, third, fourth, keys - firstKey, values - firstValue, values, at) < 0) {
      return undefined
    }
    entries += ENTRY * count
  }
  return at
}
