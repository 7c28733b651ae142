/**
 * A store in a LevelDB directory.
 *
 * One process at a time holds a LevelDB; a second one waits for it a little (`wait`), then gives up with `STORE_LOCKED`.
 * Where the first one is a server, it uses the store through that (`socket`).
 * LevelDB itself is loaded on the first `open`, so that a command without a store does not pay for it.
 *
 * What LevelDB does with damaged files is not what a store of record may do: it starts an empty database beside the
 * tables when `CURRENT` is gone, forgets what stood behind a bad record in its log, and trusts block offsets that point
 * anywhere. So `files.ts` looks at the directory first, and opens nothing that LevelDB would quietly make worse.
 * @module
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClassicLevel, OpenOptions } from 'classic-level'
import { milliseconds } from '../base/clock.js'
import { type Code, CodedError } from '../base/error.js'
import { AdaptedStore, BYTES, codeOf, type Database } from './adapter.js'
import { checkFiles } from './files.js'
import { prepareKernel } from './kernel.js'
import { lockHolder } from './lock.js'
import type { Operation, Range, Store } from './store.js'

/** How to open a store. */
export interface LevelOptions {
  /** Make the store where there is none. Default true; when false, `STORE_MISSING`. */
  readonly create?: boolean | undefined
  /** Milliseconds to wait for another process to let go of the store. Default 0. */
  readonly wait?: number | undefined
  /** Called once, when waiting begins. */
  readonly onWait?: (() => void) | undefined
  /** Ends the waiting: `open` then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /**
   * Where a process that has the store open may let others use it (`store-socket.ts`). Where one does, the store is its, and
   * ours from when it is our turn until `close`.
   */
  readonly socket?: string | undefined
  /** Bytes of LevelDB's cache of blocks. Default 8 MiB. */
  readonly cacheSize?: number | undefined
}

/** Milliseconds between two attempts at a locked store. */
const RETRY = 40

const MIB = 1 << 20

/**
 * LevelDB's own settings, on a store of 75 pages of 190 KB and 12,000 small keys. A page fills a block of its own
 * whatever `blockSize` says; for small keys 16 KiB saves 3 KB against LevelDB's 4 KiB, and 64 KiB no more than that. A
 * write buffer that holds an import's usual batch leaves one table where 4 MiB leaves four (then `compact` has nothing
 * to rewrite). Snappy stays on: it does nothing to pages, and halves what is loose.
 */
const SETTINGS = {
  blockSize: 16 * 1024,
  compression: true,
  maxFileSize: 32 * MIB,
  maxOpenFiles: 500,
  writeBufferSize: 16 * MIB,
} as const

class LevelStore extends AdaptedStore {
  readonly #level: ClassicLevel<Uint8Array, Uint8Array>

  private constructor(level: ClassicLevel<Uint8Array, Uint8Array>) {
    super(level as Database)
    this.#level = level
  }

  protected override explain(error: unknown): unknown {
    return explainLevel(super.explain(error), this.#level.location)
  }

  /**
   * LevelDB leaves a table alone that lies at the bottom, whatever is dead in it: half a megabyte of replaced pages after
   * an import. Writing the first and the last pair again makes a table above that overlaps it, so that both are merged.
   */
  override async compact(): Promise<void> {
    const [first, last] = [Uint8Array.of(), new Uint8Array(64).fill(0xff)]
    try {
      await this.#level.compactRange(first, last)
      const ends: Operation[] = []
      for (const reverse of [false, true]) {
        for await (const pairs of this.scan({ reverse, limit: 1 })) {
          for (const [key, value] of pairs) ends.push({ type: 'put', key, value })
        }
      }
      await this.batch(ends)
      await this.#level.compactRange(first, last)
    } catch (error) {
      throw this.explain(error)
    }
  }

  override async approximateSize(range: Range = {}): Promise<number> {
    const start = range.gte ?? range.gt ?? Uint8Array.of()
    const end = range.lte ?? range.lt ?? new Uint8Array(64).fill(0xff)
    try {
      return await this.#level.approximateSize(start, end)
    } catch (error) {
      throw this.explain(error)
    }
  }

  /**
   * Opens the store if it is free.
   *
   * @throws {CodedError} `STORE_LOCKED` if not.
   */
  static async open(directory: string, options: LevelOptions): Promise<LevelStore> {
    const create = options.create !== false
    try {
      await checkFiles(directory, create)
      return await LevelStore.#open(directory, {
        ...SETTINGS,
        createIfMissing: create,
        cacheSize: options.cacheSize ?? 8 * MIB,
      })
    } catch (error) {
      throw explainLevel(error, directory)
    }
  }

  static async #open(directory: string, settings: OpenOptions): Promise<LevelStore> {
    const { ClassicLevel: Level } = await import('classic-level')
    const level = new Level<Uint8Array, Uint8Array>(directory, BYTES)
    // Nothing may come between: a database that was made opens by itself in the next microtask, with other settings.
    const opened = level.open(settings)
    prepareKernel()
    await opened
    return new LevelStore(level)
  }
}

/** Opens the LevelDB store in `directory`; see `LevelOptions` for what happens when there is none, or it is locked. */
export async function openLevelStore(directory: string, options: LevelOptions = {}): Promise<Store> {
  const { signal, socket } = options
  const deadline = milliseconds() + (options.wait ?? 0)
  let waited = false
  const wait = (): void => {
    if (!waited) options.onWait?.()
    waited = true
  }
  for (;;) {
    signal?.throwIfAborted()
    // Looking for the file costs nothing, and saves reading the files of a store that another process has.
    const hosted =
      socket !== undefined && existsSync(socket) ? await reach(socket, directory, options, deadline, wait) : undefined
    if (hosted !== undefined) return hosted
    try {
      return await LevelStore.open(directory, options)
    } catch (error) {
      if (!(error instanceof CodedError) || error.code !== 'STORE_LOCKED') throw error
      if (milliseconds() >= deadline) throw await lockedBy(error, directory)
    }
    wait()
    await sleep(RETRY, undefined, signal === undefined ? {} : { signal })
  }
}

/** The store as the process at `socket` gives it to us, if there is one. */
async function reach(
  socket: string,
  directory: string,
  { signal }: LevelOptions,
  deadline: number,
  wait: () => void,
): Promise<Store | undefined> {
  const { reachStore } = await import('./store-socket.js')
  const late = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const onLocked = (host: number | undefined): void => {
    const left = deadline - milliseconds()
    if (left <= 0) throw inTurn(directory, host)
    clearTimeout(timer)
    timer = setTimeout(() => late.abort(inTurn(directory, host)), left)
    wait()
  }
  const stop = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal])
  try {
    return await reachStore(socket, { onLocked, signal: stop })
  } finally {
    clearTimeout(timer)
  }
}

/** The error where a server has the store, and somebody else has the turn. */
function inTurn(directory: string, host: number | undefined): CodedError {
  const who = host === undefined ? 'a server' : `a server, process ${host}`
  return new CodedError(
    'STORE_LOCKED',
    `The store ${directory} is held by ${who}, through which another command is using it.`,
    {
      hint: 'Wait until that command has finished, or end it, then run this again.',
      data: { directory, ...(host === undefined ? {} : { pid: host }) },
    },
  )
}

/** Texts of errno values, as LevelDB passes them on, and the code and the hint for each. */
const CAUSES: [pattern: RegExp, code: Code, message: string, hint: string][] = [
  [/No space left|Disk quota|ENOSPC|EDQUOT/, 'STORE_FULL', 'The disk is full', 'Free some space, then run this again.'],
  [
    /Read-only file system|Permission denied|Operation not permitted|EROFS|EACCES|EPERM/,
    'STORE_READONLY',
    'The store cannot be written',
    'Opening a store needs the right to write in its directory.',
  ],
]

/** Turns what LevelDB or the file system says about `directory` into a coded error. Others go through unchanged. */
function explainLevel(error: unknown, directory: string): unknown {
  // abstract-level wraps what went wrong while opening.
  const inner = codeOf(error) === 'LEVEL_DATABASE_NOT_OPEN' && error instanceof Error ? (error.cause ?? error) : error
  if (inner instanceof CodedError || !(inner instanceof Error)) return inner
  const details = { cause: inner, data: { directory } }
  const code = codeOf(inner)
  if (code === 'LEVEL_LOCKED') return new CodedError('STORE_LOCKED', `The store ${directory} is in use.`, details)
  if (code === 'LEVEL_CORRUPTION') {
    return new CodedError('STORE_CORRUPT', `The store ${directory} is damaged: ${inner.message}.`, {
      ...details,
      hint: 'Run weft verify to see what is affected.',
    })
  }
  const found = CAUSES.find(([pattern]) => pattern.test(inner.message))
  if (found !== undefined) {
    return new CodedError(found[1], `${found[2]}: ${directory}: ${inner.message}.`, { ...details, hint: found[3] })
  }
  if (code === 'LEVEL_IO_ERROR' || 'syscall' in inner) {
    return new CodedError('STORE_IO', `The store ${directory} cannot be read or written: ${inner.message}.`, details)
  }
  return inner
}

/** The same failure, saying who holds the store where that can be told. */
async function lockedBy(error: CodedError, directory: string): Promise<CodedError> {
  const pid = await lockHolder(join(directory, 'LOCK'))
  const who = pid === undefined ? 'another process' : pid === process.pid ? 'this process' : `process ${pid}`
  return new CodedError('STORE_LOCKED', `The store ${directory} is in use by ${who}.`, {
    hint: 'Wait until it has finished, or end it, then run this again.',
    cause: error.cause,
    data: { ...error.data, ...(pid === undefined ? {} : { pid }) },
  })
}
