/**
 * The replicated types measured: `npm run bench:rdx`, and after the git table in `npm run bench`.
 *
 * Each row is one job on made-up states, the median of some runs after one that is not counted, with the limit set for it.
 * Lists, and what others make of the same edits, are in rdx-list.ts. Nothing here is a test: figures depend on the machine.
 * @module
 */
import { equalBytes } from '../../src/base/bytes.js'
import { E, M, V } from '../../src/rdx/index.js'
import type { Native } from '../../src/rdx/native.js'
import { formatRecords, parseRecords } from '../../src/rdx/records.js'
import { RecordStream } from '../../src/rdx/stream.js'
import { encodeRecord } from '../../src/rdx/tlv.js'
import { random } from '../support/random.js'
import { median } from './measure.js'
import { benchLists, benchTrace } from './rdx-list.js'

/** Elements of each state. */
const SIZE = 100_000

const RUNS = 7

/** What a row says of itself. */
interface Row {
  readonly what: string
  /** `ms`: less is better. `MB/s`: more is. */
  readonly unit: 'ms' | 'MB/s'
  /** None where a row is there for comparison only. */
  readonly limit?: number
  /** Bytes that the job handles, for `MB/s`. */
  readonly bytes?: number
  readonly job: () => unknown
}

/** A place in the table: a row of text, with the verdict where there is a limit. */
function report({ what, unit, limit, bytes = 0, job }: Row): void {
  const times: number[] = []
  for (let run = 0; run <= RUNS; run++) {
    const began = performance.now()
    job()
    // The first run is that of code not compiled yet.
    if (run > 0) times.push(performance.now() - began)
  }
  const milliseconds = median(times)
  const figure = unit === 'ms' ? milliseconds : bytes / 1000 / milliseconds
  const met = limit === undefined || (unit === 'ms' ? figure <= limit : figure >= limit)
  const bound = limit === undefined ? '' : `${unit === 'ms' ? '<' : '>'} ${limit} ${unit}`
  const verdict = limit === undefined ? '' : met ? 'pass' : 'MISS'
  console.log(
    `${what.padEnd(54)}  ${`${figure.toFixed(1)} ${unit}`.padStart(12)}  ${bound.padStart(10)}  ${verdict}`.trimEnd(),
  )
}

/** Integers, texts and floats in a third each, with stamps, some of them removed. */
function items(size: number, below: (limit: number) => number): Native[] {
  return Array.from({ length: size }, (_, i) => {
    const number = below(1 << 30)
    return i % 3 === 0 ? BigInt(number) : i % 3 === 1 ? `key ${number.toString(36)}` : number / 8
  })
}

/** Measures all types but lists, and prints the table. */
export function benchTypes(): void {
  const { below } = random('bench of replicated types')
  const integers = (): Native[] => Array.from({ length: SIZE }, () => BigInt(below(1 << 30)))
  const stamped = (state: Uint8Array, src: bigint): Uint8Array => E.delta(E.empty(), E.plain(state) ?? [], src)
  const sets = [stamped(E.tlv(integers()), 1n), stamped(E.tlv(integers()), 2n)]
  const mixed = [stamped(E.tlv(items(SIZE, below)), 1n), stamped(E.tlv(items(SIZE, below)), 2n)]
  const same = [sets[0] as Uint8Array, Uint8Array.from(sets[0] as Uint8Array)]
  const pairs = (src: bigint): Uint8Array =>
    M.delta(
      M.empty(),
      items(SIZE, below).map((key) => [key, BigInt(below(1000))]),
      src,
    )
  const maps = [pairs(1n), pairs(2n)]
  const singles = sets.flatMap((state) => (E.plain(state) ?? []).slice(0, 10_000).map((native) => E.tlv([native])))
  const vectors = [0, 1].map(() =>
    V.tlv(new Map(Array.from({ length: SIZE }, () => [below(1 << 24), 1 + below(1 << 30)]))),
  )
  const paths = (): Native[] => Array.from({ length: SIZE }, () => `${'/some/long/path/'.repeat(12)}${below(1 << 30)}`)
  const pathSets = [E.tlv(paths()), E.tlv(paths())]
  const pathMaps = pathSets.map((set) => M.tlv((E.plain(set) ?? []).map((path) => [path, path])))
  const record = encodeRecord('M', maps[0] as Uint8Array)
  const text = formatRecords(record) ?? ''
  if (!equalBytes(parseRecords(text), record)) throw new Error('the text does not read back')
  const pieces = Array.from({ length: Math.ceil(record.length / 4096) }, (_, i) =>
    record.subarray(4096 * i, 4096 * i + 4096),
  )

  console.log(`\nreplicated types, states of ${SIZE} elements, median of ${RUNS}\n`)
  const size = text.length
  const rows: Row[] = [
    { what: 'E: merge of two sets of integers', unit: 'ms', limit: 150, job: () => E.merge(sets) },
    { what: 'E: merge of two sets of mixed types', unit: 'ms', limit: 150, job: () => E.merge(mixed) },
    { what: 'E: merge of a set with itself', unit: 'ms', limit: 150, job: () => E.merge(same) },
    { what: 'M: merge of two maps', unit: 'ms', limit: 150, job: () => M.merge(maps) },
    { what: 'E: merge of two sets of texts that begin alike', unit: 'ms', job: () => E.merge(pathSets) },
    { what: 'M: merge of two maps of such texts', unit: 'ms', job: () => M.merge(pathMaps) },
    { what: 'V: merge of two vectors', unit: 'ms', job: () => V.merge(vectors) },
    { what: `E: merge of ${singles.length} sets of one element`, unit: 'ms', job: () => E.merge(singles) },
    {
      what: 'E: difference from the other',
      unit: 'ms',
      job: () => E.diff(sets[0] as Uint8Array, E.vector(sets[1] as Uint8Array)),
    },
    { what: 'M: check', unit: 'ms', job: () => M.check(maps[0] as Uint8Array) },
    { what: 'M: text to bytes', unit: 'MB/s', limit: 20, bytes: size, job: () => parseRecords(text) },
    { what: 'M: bytes to text', unit: 'MB/s', limit: 20, bytes: size, job: () => formatRecords(record) },
    {
      what: 'M: text to bytes and back',
      unit: 'MB/s',
      limit: 20,
      bytes: size,
      job: () => formatRecords(parseRecords(text)),
    },
    {
      what: 'a record in pieces of 4 KiB',
      unit: 'MB/s',
      bytes: record.length,
      job: () => {
        const stream = new RecordStream()
        for (const piece of pieces) stream.push(piece)
      },
    },
  ]
  for (const row of rows) report(row)
}

if (process.argv[1] === import.meta.filename) {
  benchTypes()
  benchLists()
  benchTrace(process.argv[2])
}
