/**
 * The local socket at which a process that has a store open lets others use it.
 *
 * It is a Unix socket of mode 0600 in a directory of mode 0700, so that nobody but its owner may connect; a client uses
 * only a directory that belongs to its own user and is as closed. The system takes paths of about a hundred bytes at most.
 * Where the place is longer than that, the socket is in a new directory for temporary files, and a symbolic link in its
 * place says where:
 *
 *     <place>              socket, or link to <temporary>/weft-<random>/socket
 *
 * Only who holds LevelDB's lock makes a socket, so whatever is found at the place by then is what a killed process left.
 * Named pipes of Windows are open to other users when they are made by Node; there is no socket there.
 * @module
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { equalBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { openRemoteStore, type Waiting } from './remote-store.js'
import type { Store } from './store.js'
import { type HostOptions, hostConnection } from './store-host.js'
import { encodeSign } from './store-message.js'

/** `sun_path` has 104 bytes on macOS, 108 on Linux; the last one is a zero. */
const PATH_LIMIT = 103

/** Connections at a time, those that wait for their turn included. More are closed at once, and try again. */
const CONNECTIONS_LIMIT = 256

/** How long a server that ends waits for the one who has the turn, in milliseconds. */
const GRACE = 5000

/** A store at a socket, until it is closed. */
export interface HostedStore extends AsyncDisposable {
  /** Connections at this moment. */
  readonly connections: number
  /**
   * Lets nobody in any more, sends away who waits, gives who has the turn some time, and removes the socket. The store
   * stays open.
   *
   * @param grace - Milliseconds for who has the turn.
   */
  close(grace?: number): Promise<void>
}

/**
 * Lets other programs of this user use an open store, at a socket at `place`.
 *
 * @param place - Path of the socket. Its directory is made; it must hold nothing else that others should see.
 * @throws {CodedError} `STORE_IO` where there can be no socket.
 */
export async function hostStore(
  store: Store,
  place: string,
  options: HostOptions & { readonly onChange?: (() => void) | undefined },
): Promise<HostedStore> {
  const talks = new Map<Socket, Promise<void>>()
  const ending = new AbortController()
  const hosting = { ...options, signal: ending.signal }
  // Half open: the client ends first and waits until its turn is over.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (talks.size >= CONNECTIONS_LIMIT) return void socket.destroy()
    const talk = hostConnection(store, socket, hosting).finally(() => {
      talks.delete(socket)
      options.onChange?.()
    })
    talks.set(socket, talk)
    options.onChange?.()
  })
  let made: Made
  try {
    made = makePlace(place)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(made.socket, resolve)
    })
    chmodSync(made.socket, 0o600)
    // Not before somebody listens: who finds the link connects.
    made.link()
  } catch (error) {
    server.close()
    throw new CodedError('STORE_IO', `Other programs cannot use the store meanwhile: ${(error as Error).message}.`, {
      cause: error,
      data: { place },
    })
  }
  server.on('error', () => undefined)

  const close = async (grace: number): Promise<void> => {
    made.remove()
    const closed = new Promise((resolve) => server.close(resolve))
    // Who waits for a turn hears that there is none to come, and waits for the lock instead.
    ending.abort()
    const stop = new AbortController()
    const late = sleep(grace, 'late', { signal: stop.signal }).catch(() => 'done')
    while (talks.size > 0 && (await Promise.race([late, ...talks.values()])) === undefined);
    stop.abort()
    const cut = [...talks.values()]
    for (const socket of talks.keys()) socket.destroy()
    await Promise.all(cut)
    await closed
  }
  let closing: Promise<void> | undefined
  return {
    get connections() {
      return talks.size
    },
    close: (grace = GRACE) => {
      closing ??= close(grace)
      return closing
    },
    [Symbol.asyncDispose]: () => {
      closing ??= close(GRACE)
      return closing
    },
  }
}

/** A place for a socket that is not there yet. */
interface Made {
  /** Where to listen. */
  readonly socket: string
  /** Tells at the place where the socket is, if it is elsewhere. */
  readonly link: () => void
  readonly remove: () => void
}

/** Clears the place and makes the directories. */
function makePlace(place: string): Made {
  if (process.platform === 'win32') throw new TypeError('there are no local sockets on this system')
  const directory = dirname(place)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  const left = linkTarget(place)
  if (left !== undefined) clearLeft(left)
  rmSync(place, { force: true })
  if (fits(place)) return { socket: place, link: () => undefined, remove: () => rmSync(place, { force: true }) }
  const temporary = mkdtempSync(join(tmpdir(), 'weft-'))
  const socket = join(temporary, 'socket')
  const remove = (): void => {
    rmSync(place, { force: true })
    rmSync(temporary, { recursive: true, force: true })
  }
  return { socket, link: () => symlinkSync(socket, place), remove }
}

/** Takes away what a killed process left among temporary files. A link that points anywhere else is none of ours. */
function clearLeft(socket: string): void {
  const directory = dirname(socket)
  if (dirname(directory) !== tmpdir() || !/^weft-[A-Za-z0-9]{6}$/.test(basename(directory))) return
  if (lstatSync(socket, { throwIfNoEntry: false })?.isSocket() !== true) return
  rmSync(socket)
  rmdirSync(directory)
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= PATH_LIMIT
}

/** Where the link at the place points; undefined where there is no link. */
function linkTarget(place: string): string | undefined {
  try {
    return readlinkSync(place)
  } catch {
    // Nothing there, or a socket: the two usual cases.
    return undefined
  }
}

/** How to reach a store through a socket. */
export interface ReachOptions extends Waiting {
  readonly signal?: AbortSignal | undefined
}

/**
 * Opens the store of whoever hosts it at `place`, once it is our turn.
 *
 * @returns undefined where nobody does: no socket, one that a killed process left, or a host that ends meanwhile.
 * @throws {CodedError} as `openRemoteStore`; the signal's reason.
 */
export async function reachStore(place: string, { signal, onLocked }: ReachOptions): Promise<Store | undefined> {
  const path = socketAt(place)
  if (path === undefined) return undefined
  const socket = await connect(path)
  if (socket === undefined) return undefined
  const stop = (): void => void socket.destroy()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    const store = await openRemoteStore(socket, { onLocked })
    signal?.throwIfAborted()
    return store
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/**
 * Asks whoever hosts a store at `place` for a talk: the stream from there on, to be used by whoever knows what is said.
 *
 * @returns undefined where nobody hosts it, or does not talk.
 */
export async function reachTalk(place: string): Promise<Socket | undefined> {
  const path = existsSync(place) ? socketAt(place) : undefined
  const socket = path === undefined ? undefined : await connect(path)
  if (socket === undefined) return undefined
  socket.on('error', () => undefined)
  const sign = encodeSign('T')
  socket.write(encodeSign('C'))
  // Exactly the sign: what is behind it belongs to the talk.
  let answer: Buffer | null = socket.read(sign.length)
  while (answer === null && !socket.destroyed && !socket.readableEnded) {
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        socket.off('readable', goOn).off('end', goOn).off('close', goOn)
        resolve()
      }
      socket.on('readable', goOn).on('end', goOn).on('close', goOn)
    })
    answer = socket.read(sign.length)
  }
  if (answer !== null && equalBytes(answer, sign)) return socket
  socket.destroy()
  return undefined
}

/** The path to connect to, if it is in a directory that only this user can have filled. */
function socketAt(place: string): string | undefined {
  try {
    const path = linkTarget(place) ?? (fits(place) ? place : realpathSync(place))
    const { uid, mode } = statSync(dirname(path))
    return uid === process.getuid?.() && (mode & 0o077) === 0 && fits(path) ? path : undefined
  } catch {
    // It was there a moment ago: the host has ended.
    return undefined
  }
}

function connect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(path)
    socket.once('error', () => resolve(undefined))
    socket.once('connect', () => resolve(socket))
  })
}
