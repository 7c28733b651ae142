/**
 * A look at a LevelDB directory before LevelDB gets it.
 *
 * LevelDB 1.20, as `classic-level` builds it, does not verify checksums on reads and offers no option for it. Worse for
 * a store of record are the damages it "repairs" when it opens a directory:
 * - `CURRENT` gone: it starts an empty database, and deletes the tables that this one does not know;
 * - the end of `MANIFEST` gone: it deletes the tables that the lost part had named;
 * - a bad record in a log: it drops the rest of that block, goes on, and deletes the log;
 * - a bad length or offset in a table: it aborts the process, by an assertion or for want of memory.
 * All four are found here first, by reading CURRENT, MANIFEST, the logs, and of the tables what table-file.ts says: a few
 * milliseconds for a store of 15 MB. What is left, wrong bytes in values, is found by those who read them: pages carry
 * a checksum, and entries are signed. `damagedFiles` reads everything.
 *
 * A power cut may leave a record cut short at the very end of a log; it was never acknowledged, and is no damage.
 * @see db/version_edit.cc, db/filename.cc and db/db_impl.cc of LevelDB 1.20.
 * @module
 */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CodedError } from '../base/error.js'
import { readLog } from './log-file.js'
import { type Bounds, tableFault } from './table-file.js'
import { ByteReader } from './varint.js'

/** One damaged file of a store. */
export interface FileDamage {
  readonly file: string
  readonly detail: string
}

/** The same finding must be seen this often in a row to be believed: see `checkFiles`. */
const LOOKS = 3
/** After so many looks that all found something else, somebody is at work there. */
const LOOKS_MOST = 20
/** Milliseconds between two looks. */
const PAUSE = 40

/** What CURRENT holds. */
const CURRENT = /^(MANIFEST-\d+)\n$/

/** Tags of the fields of a MANIFEST record. */
const COMPARATOR = 1
const LOG_NUMBER = 2
const NEXT_FILE = 3
const LAST_SEQUENCE = 4
const COMPACT_POINTER = 5
const DELETED_FILE = 6
const NEW_FILE = 7
const PREVIOUS_LOG = 9

/** What MANIFEST says must be there. */
interface Manifest {
  /** Logs from this number on are part of the state. */
  readonly log: number
  /** By number. */
  readonly tables: ReadonlyMap<number, Table>
}

/** What MANIFEST says of a table. */
interface Table extends Bounds {
  readonly size: number
}

/**
 * Refuses a directory that LevelDB should not open.
 *
 * The lock cannot be held while looking (only LevelDB takes it, by opening). A process that has the store open may
 * change files between two of our reads, which looks like damage, a different one each time; damage stays as it is.
 *
 * @param create - A store that is not there is fine.
 * @throws {CodedError} `STORE_MISSING`, `STORE_CORRUPT`, and `STORE_LOCKED` when files change all the time; errors of the
 *   file system as they are.
 */
export async function checkFiles(directory: string, create: boolean): Promise<void> {
  let before = ''
  for (let look = 1, seen = 1; look <= LOOKS_MOST; look++) {
    const names = filesIn(directory)
    const damage = names === undefined ? undefined : findDamage(directory, names, false)[0]
    if (damage === undefined) {
      if (create || names?.includes('CURRENT') === true) return
      throw new CodedError('STORE_MISSING', `There is no store in ${directory}.`, { data: { directory } })
    }
    const finding = nameOf(damage)
    seen = finding === before ? seen + 1 : 1
    if (seen === LOOKS) throw corrupt(directory, damage)
    before = finding
    await sleep(PAUSE)
  }
  throw new CodedError('STORE_LOCKED', `The store ${directory} is in use.`, { data: { directory } })
}

/** Reads every byte of a store that no process has open, and names the files that are damaged. */
export function damagedFiles(directory: string): FileDamage[] {
  return findDamage(directory, filesIn(directory) ?? [], true)
}

/**
 * The same for a store that this process or another one has open: only what several looks in a row have found, since files
 * come and go when LevelDB tidies up.
 */
export async function lastingDamage(directory: string): Promise<FileDamage[]> {
  let found = damagedFiles(directory)
  for (let look = 1; look < LOOKS && found.length > 0; look++) {
    await sleep(PAUSE)
    const again = new Set(damagedFiles(directory).map(nameOf))
    found = found.filter((damage) => again.has(nameOf(damage)))
  }
  return found
}

function nameOf({ file, detail }: FileDamage): string {
  return `${file}: ${detail}`
}

/** The error for one damaged file. */
function corrupt(directory: string, damage: FileDamage): CodedError {
  return new CodedError('STORE_CORRUPT', `The store is damaged: ${join(directory, damage.file)}: ${damage.detail}.`, {
    hint: 'Nothing was changed. Restore this file from a copy, or make the repository again from where it came.',
    data: { directory, ...damage },
  })
}

/** Names in the directory; `undefined` when there is no directory. */
function filesIn(directory: string): string[] | undefined {
  try {
    return readdirSync(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function findDamage(directory: string, names: readonly string[], every: boolean): FileDamage[] {
  try {
    return look(directory, names, every)
  } catch (error) {
    // A file went away after its name was read.
    const { code, path = '' } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT') throw error
    return [{ file: basename(path), detail: 'the file is missing' }]
  }
}

function look(directory: string, names: readonly string[], every: boolean): FileDamage[] {
  if (!names.includes('CURRENT')) {
    const rest = names.some((name) => /\.(ldb|sst|log)$/.test(name))
    return rest ? [{ file: 'CURRENT', detail: 'the file is missing' }] : []
  }
  const current = CURRENT.exec(readFileSync(join(directory, 'CURRENT'), 'latin1'))?.[1]
  if (current === undefined) return [{ file: 'CURRENT', detail: 'it does not name a MANIFEST' }]
  if (!names.includes(current)) return [{ file: current, detail: 'the file is missing' }]
  const manifest = readManifest(readFileSync(join(directory, current)))
  if (manifest === undefined) return [{ file: current, detail: 'it is damaged' }]
  return [...logDamage(directory, names, manifest.log), ...tableDamage(directory, names, manifest.tables, every)]
}

/** Numbers of the tables that count, and the least one of the logs that do; `undefined` where nothing can tell. */
export function liveFiles(
  directory: string,
  names: readonly string[],
): { readonly tables: { has(number: number): boolean }; readonly log: number } | undefined {
  if (!names.includes('CURRENT')) return undefined
  const current = CURRENT.exec(readFileSync(join(directory, 'CURRENT'), 'latin1'))?.[1]
  if (current === undefined || !names.includes(current)) return undefined
  return readManifest(readFileSync(join(directory, current)))
}

/** The state that the records add up to; `undefined` when one is damaged. A last one cut short does not count. */
function readManifest(bytes: Uint8Array): Manifest | undefined {
  const content = readLog(bytes)
  if (content.records.length === 0 || content.more) return undefined
  const tables = new Map<number, Table>()
  let log: number | undefined
  for (const record of content.records) {
    const reader = new ByteReader(record)
    while (!reader.done) {
      const tag = reader.varint()
      if (tag === COMPARATOR) reader.take(reader.varint())
      else if (tag === LOG_NUMBER) log = reader.varint()
      else if (tag === NEXT_FILE || tag === LAST_SEQUENCE || tag === PREVIOUS_LOG) reader.varint()
      else if (tag === COMPACT_POINTER) {
        reader.varint()
        reader.take(reader.varint())
      } else if (tag === DELETED_FILE) {
        reader.varint()
        tables.delete(reader.varint())
      } else if (tag === NEW_FILE) {
        reader.varint()
        const number = reader.varint()
        const size = reader.varint()
        const smallest = reader.take(reader.varint())
        tables.set(number, { size, smallest, largest: reader.take(reader.varint()) })
      } else return undefined
    }
    if (!reader.ok) return undefined
  }
  // The first record, in which a new MANIFEST repeats the tables, does not hold the log; one without is cut short.
  return log === undefined ? undefined : { log, tables }
}

/** Numbered file names and their numbers: LevelDB pads to six digits, and goes on when they are used up. */
function numbered(names: readonly string[], extension: RegExp): Map<number, string> {
  return new Map(names.filter((name) => extension.test(name)).map((name) => [Number.parseInt(name, 10), name]))
}

function logDamage(directory: string, names: readonly string[], least: number): FileDamage[] {
  const logs = numbered(names, /^\d+\.log$/)
  const damage: FileDamage[] = []
  // A store's first log gets its number in the same step in which it becomes part of the state: 0 is before that.
  if (least > 0 && !logs.has(least)) {
    damage.push({ file: `${String(least).padStart(6, '0')}.log`, detail: 'the file is missing' })
  }
  for (const [number, file] of logs) {
    if (number < least) continue
    const { fault, more } = readLog(readFileSync(join(directory, file)))
    if (fault !== undefined && more) damage.push({ file, detail: `its record at byte ${fault} is damaged` })
  }
  return damage
}

function tableDamage(
  directory: string,
  names: readonly string[],
  tables: ReadonlyMap<number, Table>,
  every: boolean,
): FileDamage[] {
  const present = numbered(names, /^\d+\.(ldb|sst)$/)
  const damage: FileDamage[] = []
  for (const [number, table] of tables) {
    const file = present.get(number)
    if (file === undefined) {
      damage.push({ file: `${String(number).padStart(6, '0')}.ldb`, detail: 'the file is missing' })
      continue
    }
    const detail = readTable(join(directory, file), table, every)
    if (detail !== undefined) damage.push({ file, detail })
  }
  return damage
}

function readTable(path: string, table: Table, every: boolean): string | undefined {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    if (size !== table.size) return `it has ${size} bytes and should have ${table.size}`
    const read = (offset: number, length: number): Uint8Array => {
      const bytes = new Uint8Array(length)
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset))
    }
    return tableFault({ size, read }, table, every)
  } finally {
    closeSync(file)
  }
}
