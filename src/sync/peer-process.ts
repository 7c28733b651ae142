/**
 * A peer at the other end of a process: its standard input and output are the exchange. Over ssh, that is
 * `weft serve --stdio` on another machine.
 * @module
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { CodedError } from '../base/error.js'
import type { Call, Peer } from './exchange.js'

/** Bytes of what a process says on its standard error that are kept, the last ones. */
const SAID_BYTES = 4096

export class ProcessPeer implements Peer {
  readonly url: string
  readonly isInteractive = true
  readonly #command: string
  readonly #args: readonly string[]

  /** @param url - For people. */
  constructor(url: string, command: string, args: readonly string[]) {
    this.url = url
    this.#command = command
    this.#args = args
  }

  async call(): Promise<Call> {
    const { spawn } = await import('node:child_process')
    const child = spawn(this.#command, [...this.#args], { stdio: 'pipe' })
    const ended = endOf(child)
    const failure = async (): Promise<never> => {
      throw failed(this.url, this.#command, await ended)
    }
    child.stdin.on('error', () => undefined)
    return {
      read: readAll(child, failure, ended),
      write: (bytes) => written(child, bytes, failure),
      end: async () => void child.stdin.end(),
      close: () => void child.kill(),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** How a process ended, and the last that it said. */
interface Ended {
  readonly error?: NodeJS.ErrnoException
  readonly status?: number | null
  readonly said: string
}

function endOf(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let said = ''
  child.stderr.on('data', (bytes: Uint8Array) => {
    said = (said + Buffer.from(bytes).toString('utf8')).slice(-SAID_BYTES)
  })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ error, said }))
    child.once('close', (status) => resolve({ status, said }))
  })
}

async function* readAll(
  child: ChildProcessWithoutNullStreams,
  failure: () => Promise<never>,
  ended: Promise<Ended>,
): AsyncGenerator<Uint8Array> {
  let isEmpty = true
  for await (const piece of child.stdout as AsyncIterable<Uint8Array>) {
    isEmpty = false
    yield piece
  }
  // One that never said a word could not be started, or was not let in.
  if (isEmpty || (await ended).status !== 0) await failure()
}

async function written(
  child: ChildProcessWithoutNullStreams,
  bytes: Uint8Array,
  failure: () => Promise<never>,
): Promise<void> {
  if (!child.stdin.writable) return failure()
  if (child.stdin.write(bytes)) return
  await new Promise<void>((resolve) => {
    child.stdin.once('drain', resolve)
    child.stdin.once('close', resolve)
  })
  if (!child.stdin.writable) await failure()
}

function failed(url: string, command: string, { error, status, said }: Ended): CodedError {
  if (error !== undefined) {
    return new CodedError('REMOTE_UNREACHABLE', `${command} cannot be started for ${url}: ${error.message}.`, {
      cause: error,
    })
  }
  const words = said.trim()
  return new CodedError(
    'REMOTE_UNREACHABLE',
    `${url} cannot be reached: ${command} ended with status ${status ?? 'none'}${words === '' ? '' : `: ${words}`}`,
    { hint: `Try the same by hand: the other side has to have weft on its path.` },
  )
}
