/**
 * Bringing files of the work tree from what an operation's record says they were to what it says they shall be.
 *
 * First all that comes is written beside (stage.ts), then files are removed and put, one by one. It may be done any number
 * of times: a file that is as it shall be is passed over, and one that is neither that nor what it was before belongs to
 * somebody who changed it meanwhile, and is left alone. That is looked at right before each file is touched.
 * @module
 */

import { CodedError } from '../base/error.js'
import { defaultCrypto as crypto } from '../crypto/default.js'
import { formatMode, kindOf } from '../repo/mode.js'
import { formatPath, parsePath } from '../repo/path-text.js'
import type { Repository } from '../repo/repository.js'
import { ContentCache } from './content-cache.js'
import { type FileStat, fileStat, type SystemStat, sameStat } from './file-stat.js'
import type { FileRecord, OperationRecord } from './operation-log.js'
import { type RecordedFile, recordedContents } from './recorded.js'
import { Stage, type Staged } from './stage.js'
import { lookAt, readWorkFile } from './work-files.js'

/** A file that is not as it should be. */
export interface Failure {
  /** Text, as results write it. */
  readonly path: string
  readonly reason: string
}

/** What was done. */
export interface Applied {
  readonly failures: readonly Failure[]
  /** Of the files that were written, right afterwards; by path, a binary string. */
  readonly stats: ReadonlyMap<string, SystemStat>
}

/** What is at hand before files are looked at. Paths are binary strings. */
export interface AtHand {
  /** Contents. */
  readonly contents?: ReadonlyMap<string, Uint8Array | undefined>
  /** Stats with which files are certainly what the record says they were. */
  readonly before?: ReadonlyMap<string, FileStat>
}

/** The files of one operation. */
export class FileWork implements Disposable {
  readonly #repo: Repository
  readonly #files: readonly {
    readonly path: string
    readonly before: FileRecord | null
    readonly after: FileRecord | null
  }[]
  readonly #atHand: AtHand
  readonly #stage: Stage
  readonly #cache: ContentCache
  readonly #staged = new Map<string, Staged | undefined>()
  readonly #failures: Failure[] = []

  constructor(repo: Repository, { files }: Pick<OperationRecord, 'files'>, atHand: AtHand = {}) {
    this.#repo = repo
    this.#files = files.map((file) => ({ ...file, path: parsePath(file.path) }))
    this.#atHand = atHand
    this.#stage = new Stage(repo.root)
    this.#cache = new ContentCache(repo.root)
  }

  [Symbol.dispose](): void {
    this.#stage[Symbol.dispose]()
  }

  /**
   * Writes beside what is to come, before anything is done.
   *
   * @param later - Contents that cannot be had yet.
   * @throws {CodedError} `DISK_*`, `PATH_UNSAFE`, and what reading contents throws.
   */
  async prepare(later: (record: FileRecord) => boolean): Promise<void> {
    const wanted = this.#files.flatMap(({ path, after }) => {
      const isReady = after !== null && (this.#atHand.contents?.get(path) !== undefined || !later(after))
      return isReady ? [{ path, record: after }] : []
    })
    await this.#write(wanted)
  }

  /**
   * Does it. What goes wrong with one file does not keep the others from what they shall be.
   *
   * @throws {CodedError} `DISK_FULL`: then it is to be done again when there is room.
   */
  async apply(): Promise<Applied> {
    await this.#writeRest()
    for (const { path, before, after } of this.#files) {
      if (after === null)
        this.#attempt(path, () => {
          if (!this.#isDue(path, before, after)) return
          this.#cacheContent(path, before)
          this.#stage.remove(path)
        })
    }
    const stats = new Map<string, SystemStat>()
    for (const { path, before, after } of this.#files) {
      if (after === null || !this.#staged.has(path)) continue
      this.#attempt(path, () => {
        if (!this.#isDue(path, before, after)) return
        this.#cacheContent(path, before)
        const stat = this.#stage.put(path, this.#staged.get(path))
        if (stat !== undefined) stats.set(path, stat)
      })
    }
    this.#cache.trim()
    return { failures: this.#failures, stats }
  }

  /** What could not be had before, or is done for the second time. */
  async #writeRest(): Promise<void> {
    const wanted: RecordedFile[] = []
    for (const { path, after } of this.#files) {
      if (after === null || this.#staged.has(path)) continue
      this.#attempt(path, () => {
        if (!isSame(stateOf(this.#repo.root, path), after)) wanted.push({ path, record: after })
      })
    }
    try {
      await this.#write(wanted)
    } catch (error) {
      this.#rethrowUnlessOfFile(error)
      // One content that is damaged must not stand in the way of all that comes after it for ever.
      for (const file of wanted) {
        if (this.#staged.has(file.path)) continue
        await this.#write([file]).catch((reason: unknown) => this.#failed(file.path, reason))
      }
    }
  }

  async #write(files: readonly RecordedFile[]): Promise<void> {
    const missing: RecordedFile[] = []
    for (const file of files) {
      const bytes = this.#atHand.contents?.get(file.path)
      if (bytes === undefined) missing.push(file)
      else this.#add(file, bytes)
    }
    for await (const { file, bytes } of recordedContents(this.#repo, missing)) this.#add(file, bytes)
  }

  #add({ path, record }: RecordedFile, bytes: Uint8Array): void {
    this.#staged.set(path, this.#stage.add(path, Number.parseInt(record.mode, 8), bytes))
  }

  /** A content that a version has is kept at hand when it leaves the work tree. */
  #cacheContent(path: string, before: FileRecord | null): void {
    if (before?.stored === undefined || kindOf(Number.parseInt(before.mode, 8)) === 'symlink') return
    this.#cache.keep(path, before.stored.size, before.sha256)
  }

  /** Whether a file is what it was before, and not yet what it shall be. */
  #isDue(path: string, before: FileRecord | null, after: FileRecord | null): boolean {
    const known = this.#atHand.before?.get(path)
    const stat = known && lookAt(this.#repo.root, path)
    if (known !== undefined && stat !== undefined && sameStat(fileStat(stat), known)) return true
    const now = stateOf(this.#repo.root, path)
    if (isSame(now, after)) return false
    // Where nothing is, nothing can be lost: the file may have been on its way to its place.
    if (now === null ? this.#isFree(path) : isSame(now, before)) return true
    this.#failures.push({ path: formatPath(path), reason: 'It was changed meanwhile, and left as it is.' })
    return false
  }

  /** Whether there is nothing at a path, or a directory, which has to be empty: no pipe or device that came meanwhile. */
  #isFree(path: string): boolean {
    return lookAt(this.#repo.root, path)?.isDirectory() ?? true
  }

  #attempt(path: string, act: () => void): void {
    try {
      act()
    } catch (error) {
      this.#failed(path, error)
    }
  }

  #failed(path: string, error: unknown): void {
    this.#rethrowUnlessOfFile(error)
    this.#failures.push({ path: formatPath(path), reason: (error as CodedError).message })
  }

  /** A disk that is full, or a fault of ours, is no matter of one file. */
  #rethrowUnlessOfFile(error: unknown): void {
    if (!(error instanceof CodedError)) throw error
    if (error.code !== 'DISK_FULL') return
    throw new CodedError('DISK_FULL', error.message, {
      hint: 'The next weft command that changes something goes on where this one stopped. Make room first.',
      cause: error,
      data: error.data,
    })
  }
}

/** What is at a path now, as records have it. */
function stateOf(root: string, path: string): FileRecord | null {
  const found = readWorkFile(root, path)
  return found === undefined ? null : { mode: formatMode(found.mode), sha256: crypto.sha256Hex(found.bytes) }
}

function isSame(a: FileRecord | null, b: FileRecord | null): boolean {
  if (a === null || b === null) return a === b
  return a.sha256 === b.sha256 && kindOf(Number.parseInt(a.mode, 8)) === kindOf(Number.parseInt(b.mode, 8))
}
