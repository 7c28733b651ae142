/**
 * Pages decoded by WebAssembly (assembly/columns.ts), which a short command has at full speed from the first page on.
 *
 * What is declined here, by `undefined`, is decoded by columns.ts: it has the last word, and the errors. So a system
 * without WebAssembly has only time to lose. Memory:
 *
 *     +-----------+----------------------+-------------------------+------------------------+
 *     | the key   | what is covered      | body, or its beginning  | tables, keys, values   |
 *     | 64 KiB, 8 | 64 KiB: 4,096 rows   |                         |                        |
 *     +-----------+----------------------+-------------------------+------------------------+
 *
 * It grows with the largest page there was, up to a limit; pages that need more are declined.
 * @module
 */
import { equalBytes } from '../base/bytes.js'
import { EntryBatch, KEY_LIMIT } from './batch.js'
import { type ColumnsHeader, recordsStart } from './columns.js'
import { COVERAGE_ROW, type Coverage } from './coverage.js'
import { inflateInto } from './inflate.js'
import { KERNEL_CODE } from './kernel-code.js'

/** What of WebAssembly is used here: Node's types do not have it. */
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => Memory
  Module: new (code: Uint8Array) => object
  Instance: new (module: object, imports: { env: { memory: Memory } }) => { readonly exports: unknown }
}

interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** What assembly/columns.ts exports; it says what these are. */
interface Kernel {
  decode(
    count: number,
    keyBytes: number,
    key: number,
    firstLength: number,
    body: number,
    bodyBytes: number,
    loaded: number,
    tables: number,
    coverage: number,
    rows: number,
    latest: number,
  ): number
  readonly keyStarts: Address
  readonly keyEnds: Address
  readonly valueStarts: Address
  readonly valueEnds: Address
  readonly keys: Address
  readonly keysEnd: Address
  readonly values: Address
  readonly valuesEnd: Address
  readonly keyLength: Address
}

interface Address {
  readonly value: number
}

/** Bytes that copies by eight may run over. */
const SPARE = 8

const KEY = 0
const COVERAGE = KEY + KEY_LIMIT + SPARE
const COVERAGE_BYTES = 4096 * COVERAGE_ROW
const BODY = COVERAGE + COVERAGE_BYTES

/** Most bytes of memory: more than ten times what pages need that were written here. */
const MEMORY_LIMIT = 1 << 25
const MEMORY_PAGE = 1 << 16
/** At first: what a page of lines takes that is a megabyte. */
const MEMORY_FIRST = 1 << 22

/** Bytes of tables: for each entry and once more, and for each entry. */
const TABLE_BYTES = 24
const ENTRY_BYTES = 16

/** Pages with fewer entries are not worth the two milliseconds that it takes to get ready. */
const WORTHWHILE = 256

/** The kernel and its memory; null where there can be none. */
let ready: { readonly kernel: Kernel; readonly memory: Memory } | null | undefined

/** Gets ready, where there is nothing else to do for two milliseconds: while the store is being opened, say. */
export function prepareKernel(): void {
  start()
}

/** Gets ready, once. */
function start(): typeof ready {
  if (ready !== undefined) return ready
  try {
    const memory = new WebAssembly.Memory({ initial: MEMORY_FIRST / MEMORY_PAGE })
    ready = { kernel: instantiate(KERNEL_CODE, memory) as Kernel, memory }
  } catch {
    // It may be switched off, or there may be no address space for it: it takes gigabytes of that, and no memory.
    ready = null
  }
  return ready
}

/** What another kernel may use of the memory until the next page is decoded. */
export interface Room {
  readonly memory: Memory
  readonly buffer: ArrayBuffer
  /** The table of what is covered, and how many rows it has. */
  readonly coverage: number
  readonly rows: number
  /** Where the room begins: a multiple of 8. */
  readonly start: number
}

/** Room for so many bytes, where there is some; undefined too as long as no page was worth getting ready for. */
export function kernelRoom(size: number, { table }: Coverage): Room | undefined {
  const end = BODY + size
  if (!ready || end > MEMORY_LIMIT || table.length > COVERAGE_BYTES) return undefined
  const { memory } = ready
  const missing = end - memory.buffer.byteLength
  if (missing > 0 && !grow(memory, Math.ceil(missing / MEMORY_PAGE))) return undefined
  const { buffer } = memory
  new Uint8Array(buffer).set(table, COVERAGE)
  return { memory, buffer, coverage: COVERAGE, rows: table.length / COVERAGE_ROW, start: BODY }
}

/** Makes what \`npm run kernel\` compiled into functions that share the memory. */
export function instantiate(code: string, memory: Memory): unknown {
  const module = new WebAssembly.Module(Buffer.from(code, 'base64'))
  return new WebAssembly.Instance(module, { env: { memory } }).exports
}

/** A page's place in the memory. */
interface Place {
  readonly kernel: Kernel
  readonly memory: Memory
  /** Where its tables go. */
  readonly tables: number
}

/** Sees to it that there is room for a page; undefined where it is declined. */
function placeOf({ count, keyBytes, firstKey }: ColumnsHeader, loaded: number, copied: number): Place | undefined {
  if ((ready === undefined && count < WORTHWHILE) || firstKey.length > KEY_LIMIT) return undefined
  const tables = (BODY + loaded + 2 * SPARE) & -SPARE
  const end = tables + TABLE_BYTES * (count + 1) + ENTRY_BYTES * count + keyBytes + copied + 2 * SPARE
  const there = end > MEMORY_LIMIT ? undefined : start()
  if (there === undefined || there === null) return undefined
  const { kernel, memory } = there
  const missing = end - memory.buffer.byteLength
  if (missing > 0 && !grow(memory, Math.ceil(missing / MEMORY_PAGE))) return undefined
  return { kernel, memory, tables }
}

function grow(memory: Memory, pages: number): boolean {
  try {
    memory.grow(pages)
    return true
  } catch {
    // No memory is left, or none that is allowed. What is there is as it was.
    return false
  }
}

/**
 * All entries of a body, as `decodeColumns` gives them; undefined where that is to do it. Values are views of `body`.
 *
 * @throws {CodedError} `PAGE_CORRUPT`, or declines.
 */
export function decodeAll(body: Uint8Array, header: ColumnsHeader): EntryBatch | undefined {
  const loaded = recordsStart(body)
  const place = placeOf(header, loaded, 0)
  if (place === undefined) return undefined
  new Uint8Array(place.memory.buffer).set(body.subarray(0, loaded), BODY)
  const kept = decode(place, header, body.length, loaded)
  return kept === undefined ? undefined : batchOf(place, kept, body)
}

/**
 * The entries that are wanted of a packed body, which is unpacked nowhere but here; undefined as above.
 *
 * @param size - Bytes of the body.
 */
export function decodeWanted(
  packed: Uint8Array,
  size: number,
  header: ColumnsHeader,
  wanted: Coverage,
): EntryBatch | undefined {
  const place = wanted.table.length > COVERAGE_BYTES ? undefined : placeOf(header, size, size)
  if (place === undefined) return undefined
  const { buffer } = place.memory
  if (!inflateInto(Buffer.from(buffer, BODY, size + 1), packed, size)) return undefined
  new Uint8Array(buffer).set(wanted.table, COVERAGE)
  const kept = decode(place, header, size, size, wanted)
  if (kept === undefined) return undefined
  const { values, valuesEnd } = place.kernel
  return batchOf(place, kept, new Uint8Array(buffer).slice(values.value, valuesEnd.value))
}

/** @returns How many entries are in the tables. */
function decode(
  { kernel, memory, tables }: Place,
  { count, keyBytes, firstKey, lastKey }: ColumnsHeader,
  size: number,
  loaded: number,
  wanted?: Coverage,
): number | undefined {
  const bytes = new Uint8Array(memory.buffer)
  bytes.set(firstKey, KEY)
  const rows = wanted === undefined ? -1 : wanted.table.length / COVERAGE_ROW
  const latest = wanted?.latest === true ? 1 : 0
  const { length } = firstKey
  const kept = kernel.decode(count, keyBytes, KEY, length, BODY, size, loaded, tables, COVERAGE, rows, latest)
  if (kept < 0) return undefined
  const last = bytes.subarray(KEY, KEY + kernel.keyLength.value)
  return lastKey === undefined || equalBytes(last, lastKey) ? kept : undefined
}

/** Copies entries out of the memory. */
function batchOf({ kernel, memory }: Place, kept: number, values: Uint8Array): EntryBatch {
  const { buffer } = memory
  const column = ({ value }: Address): Uint32Array => new Uint32Array(buffer, value, kept).slice()
  return new EntryBatch(
    new Uint8Array(buffer).slice(kernel.keys.value, kernel.keysEnd.value),
    column(kernel.keyStarts),
    column(kernel.keyEnds),
    values,
    column(kernel.valueStarts),
    column(kernel.valueEnds),
  )
}
