/**
 * Serving repositories: over HTTP until it is ended, or one conversation over a pair of streams.
 * @module
 */
import { lookup } from 'node:dns/promises'
import type { Duplex, Readable, Writable } from 'node:stream'
import { CodedError } from '../base/error.js'
import { reachTalk } from '../lseq/store-socket.js'
import { isRepository, noRepository, storeSocket } from '../repo/layout.js'
import type { Conversation } from './conversation.js'
import { type HttpOptions, type RunningServer, startHttp } from './http-server.js'
import { OpenRepositories } from './open-repositories.js'
import { isLoopback } from './rate-limit.js'
import { ServedRepository } from './served-repository.js'
import { streamExchange, written } from './stream-exchange.js'

/** How to serve over HTTP. */
export interface ServeHttpOptions extends Omit<HttpOptions, 'repositories'> {
  /** The user's config directory. */
  readonly home: string
  /** Milliseconds without use after which a repository is closed. Default one minute. */
  readonly idle?: number | undefined
}

/** Milliseconds without use after which a repository is closed. */
const IDLE = 60_000

/** Repositories that stay open while nobody uses them. Each may take a hundred megabytes. */
const MOST_OPEN = 8

/** Milliseconds to wait for another program that has a store. */
const LOCK_WAIT = 10_000

/** Milliseconds that a program on this machine has for what it began, when the server ends. */
const GRACE = 5000

/** The same for one that serves one conversation only: it may as well wait, as nobody else is waiting for it. */
const LONG_GRACE = 60_000

/**
 * Begins to serve.
 *
 * @throws {CodedError} `ADDRESS_UNUSABLE`, `TLS_UNUSABLE`; `LINE_OPEN` where nobody could come in but with a token that
 *   others could read.
 */
export async function serveHttp(options: ServeHttpOptions): Promise<RunningServer> {
  const { home, log } = options
  const host = await addressOf(options.host)
  if (isOpenLine({ ...options, host }) && !options.openRead && !options.insecure) throw openLine(options.host)
  const notice = (message: string): void => log(message)
  const repositories = new OpenRepositories({
    open: (root, onChange) =>
      ServedRepository.open(root, { home, wait: LOCK_WAIT, onChange, notice, converse: options.converse }),
    idle: options.idle ?? IDLE,
    most: MOST_OPEN,
  })
  const server = await startHttp({ ...options, host, repositories })
  return {
    ...server,
    close: async (grace) => {
      await server.close(grace)
      await repositories.close(GRACE)
    },
  }
}

/** Whether others can listen to what is said to a server. */
export function isOpenLine({ host, tls }: Pick<HttpOptions, 'host' | 'tls'>): boolean {
  return tls === undefined && !isLoopback(host)
}

/** @throws {CodedError} `ADDRESS_UNUSABLE`. */
async function addressOf(host: string): Promise<string> {
  try {
    return (await lookup(host)).address
  } catch (cause) {
    throw new CodedError('ADDRESS_UNUSABLE', `There is no address ${host}.`, { cause })
  }
}

function openLine(host: string): CodedError {
  return new CodedError('LINE_OPEN', `At ${host}, tokens would be sent over a line that others can read.`, {
    hint: 'Give --tls-cert and --tls-key; or --insecure, where something in front of this server speaks TLS; or --open-read, for reading without tokens only.',
  })
}

/** How to hold one conversation over a pair of streams. */
export interface ServeStreamOptions {
  /** The repository's directory itself. */
  readonly root: string
  readonly home: string
  readonly converse: Conversation
  readonly input: Readable
  readonly output: Writable
}

/**
 * Holds one conversation: whoever could start this program may read and write. Where a server has the repository open, the
 * conversation is held by that, so that nobody has to wait for anybody who only reads.
 *
 * @throws {CodedError} `REPO_NOT_FOUND`, and what the conversation throws.
 */
export async function serveStream({ root, home, converse, input, output }: ServeStreamOptions): Promise<void> {
  if (!(await isRepository(root))) throw noRepository(root)
  const server = await reachTalk(storeSocket(root))
  if (server !== undefined) return passOn(server, input, output)
  const served = await ServedRepository.open(root, { home, wait: LOCK_WAIT, converse })
  try {
    await converse(served, streamExchange(input, output), { read: true, write: true })
  } finally {
    await served.close(LONG_GRACE)
  }
}

/** Both directions, until the server has said all. */
async function passOn(server: Duplex, input: Readable, output: Writable): Promise<void> {
  input.pipe(server)
  try {
    for await (const bytes of server.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      await written(output, bytes)
    }
  } catch (cause) {
    throw new CodedError('STORE_IO', 'The server that has the repository open has gone away.', {
      hint: 'Run it once more.',
      cause,
    })
  } finally {
    input.unpipe(server)
    input.destroy()
    server.destroy()
  }
  await new Promise<void>((resolve) => void output.end(resolve))
}
