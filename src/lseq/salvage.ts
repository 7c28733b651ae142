/**
 * What can be read of a damaged LevelDB directory, without LevelDB: it would drop what it does not understand, or end the
 * process.
 *
 * Blocks of tables, and records of logs up to the first that is damaged. Of blocks whose checksum does not hold only entries
 * and pages are taken: those who know what they mean find out which are right. Which tables and logs count is said
 * by MANIFEST; where that is damaged, all that are there do. A key may then come back that was deleted, and a page that was
 * replaced: whoever gets this has to make sense of it.
 * @see table-file.ts, log-file.ts and files.ts for the formats; db/write_batch.cc of LevelDB 1.20.
 * @module
 */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { toLatin1 } from '../base/bytes.js'
import { liveFiles } from './files.js'
import { readLog } from './log-file.js'
import { LOOSE, PAGE } from './pages.js'
import type { Operation, Store } from './store.js'
import { readTable } from './table-file.js'
import { ByteReader } from './varint.js'

/** Bytes that are gathered before they are written. */
const WRITE_BYTES = 4 << 20

/** Bytes before the operations of a batch: its sequence number and their count. */
const BATCH_HEAD = 12

/** What there was at one time under one key. */
interface Written {
  readonly key: Uint8Array
  /** Undefined for a deletion. */
  readonly value: Uint8Array | undefined
  readonly sequence: bigint
}

/** Copies what can be read of a directory into an empty store. */
export async function salvage(directory: string, store: Store): Promise<void> {
  const newest = new Map<string, bigint>()
  let operations: Operation[] = []
  let held = 0
  for (const { key, value, sequence } of everything(directory)) {
    const name = toLatin1(key)
    const known = newest.get(name)
    if (known !== undefined && known >= sequence) continue
    newest.set(name, sequence)
    operations.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value })
    held += key.length + (value?.length ?? 0)
    if (held < WRITE_BYTES) continue
    await store.batch(operations, { sync: false })
    operations = []
    held = 0
  }
  await store.batch(operations, { sync: true })
}

function* everything(directory: string): Generator<Written> {
  const names = readdirSync(directory)
  const live = liveFiles(directory, names)
  for (const name of names) {
    const number = Number.parseInt(name, 10)
    if (/^\d+\.(ldb|sst)$/.test(name) && live?.tables.has(number) !== false) yield* tableEntries(join(directory, name))
    if (/^\d+\.log$/.test(name) && (live === undefined || number >= live.log)) yield* logEntries(join(directory, name))
  }
}

function* tableEntries(path: string): Generator<Written> {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const read = (offset: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(Math.max(0, length))
      return bytes.subarray(0, readSync(file, bytes, 0, bytes.length, Math.max(0, offset)))
    }
    for (const { key, value, isSound } of readTable({ size, read })) {
      if (!isSound && key[0] !== LOOSE && key[0] !== PAGE) continue
      // The last eight bytes: type, then the sequence number.
      const tag = new DataView(key.buffer, key.byteOffset + key.length - 8).getBigUint64(0, true)
      const isPut = (tag & 0xffn) === 1n
      yield { key: key.subarray(0, -8), value: isPut ? value : undefined, sequence: tag >> 8n }
    }
  } finally {
    closeSync(file)
  }
}

function* logEntries(path: string): Generator<Written> {
  for (const record of readLog(readFileSync(path)).records) {
    if (record.length < BATCH_HEAD) continue
    let sequence = new DataView(record.buffer, record.byteOffset).getBigUint64(0, true)
    const reader = new ByteReader(record, BATCH_HEAD)
    while (!reader.done) {
      const type = reader.byte()
      const key = reader.take(reader.varint())
      const value = type === 1 ? reader.take(reader.varint()) : undefined
      if (!reader.ok || type > 1) break
      yield { key, value, sequence: sequence++ }
    }
  }
}
