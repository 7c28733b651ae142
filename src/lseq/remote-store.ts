/**
 * A store that another process has open, as a `Store`: the client's side of `store-message.ts`.
 *
 * It has the store for itself from `openRemoteStore` to `close`, as if it held LevelDB's lock. When the connection is cut,
 * everything fails with `STORE_IO` from then on; a batch that was under way is there as a whole or not at all, and which of
 * the two only the next one to open the store can tell.
 * @module
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { assertBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { type Message, MessageWriter, readMessages } from './message-stream.js'
import type { Operation, Pair, Range, ScanOptions, Store } from './store.js'
import {
  type Answer,
  encodeHello,
  encodeRequest,
  keysIn,
  MESSAGE_VERSION,
  PART_BYTES,
  pairsIn,
  parseAnswer,
  parseHello,
  type Request,
} from './store-message.js'

/** What is told while a connection waits for its turn. */
export interface Waiting {
  /** Called when somebody else has the turn, with the process id of the host. May throw, which ends the waiting. */
  readonly onLocked?: ((host: number | undefined) => void) | undefined
}

/** Keys of one request: `PART_BYTES` bounds their bytes. */
const KEYS_AT_ONCE = 4096

/** Takes the answers to one request, until it says that it has all. */
interface Pending {
  readonly take: (answer: Answer) => boolean
  readonly fail: (error: unknown) => void
}

/**
 * Begins a conversation with the host at the other end of `stream`, and waits for the turn.
 *
 * @returns undefined where the host ended the conversation before it was our turn.
 * @throws {CodedError} `STORE_LOCKED` where the host speaks another version of the messages; `BAD_RECORD` where it makes
 *   no sense; what `onLocked` throws. The stream is closed then.
 */
export async function openRemoteStore(stream: Duplex, waiting: Waiting = {}): Promise<Store | undefined> {
  // What goes wrong with a stream also ends it, and that is seen.
  stream.on('error', () => undefined)
  const messages = readMessages(stream.iterator({ destroyOnReturn: false }))
  try {
    const writer = new MessageWriter(stream)
    await writer.write(encodeHello())
    if (await isLetIn(messages, waiting)) return new RemoteStore(stream, writer, messages)
    stream.destroy()
    return undefined
  } catch (error) {
    stream.destroy()
    if (isCut(error)) return undefined
    throw error
  }
}

/** Whether an error says no more than that the other side has gone. */
function isCut(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(ECONNRESET|EPIPE|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE)$/.test(code)
}

async function isLetIn(messages: AsyncGenerator<Message, void, undefined>, waiting: Waiting): Promise<boolean> {
  const first = await messages.next()
  if (first.done === true) return false
  const { version, processId } = parseHello(first.value)
  if (version !== MESSAGE_VERSION) throw otherVersion(processId)
  for (;;) {
    const sign = await messages.next()
    if (sign.done === true) return false
    if (sign.value.letter === 'T') return true
    if (sign.value.letter !== 'L') throw nonsense(`"${sign.value.letter}" before the turn`)
    waiting.onLocked?.(processId)
  }
}

class RemoteStore implements Store {
  readonly #stream: Duplex
  readonly #writer: MessageWriter
  readonly #pending = new Map<number, Pending>()
  #last = 0
  /** Why nothing can be asked any more. */
  #over: CodedError | undefined
  #closing: Promise<void> | undefined

  constructor(stream: Duplex, writer: MessageWriter, messages: AsyncIterable<Message>) {
    this.#stream = stream
    this.#writer = writer
    void this.#listen(messages)
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return (await this.getMany([key]))[0]
  }

  async getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    this.#assertOpen()
    for (const key of keys) assertBytes(key, 'key')
    const parts = inParts(keys, (key) => key.length)
    return (await Promise.all(parts.map((part) => this.#getPart(part)))).flat()
  }

  #getPart(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const found: (Uint8Array | undefined)[] = []
    return this.#ask<(Uint8Array | undefined)[]>({ kind: 'get', number: ++this.#last, keys }, (answer, resolve) => {
      if (answer.kind === 'values') {
        for (const value of answer.values) found.push(value)
        return found.length <= keys.length ? 'more' : 'odd'
      }
      if (answer.kind !== 'done' || found.length !== keys.length) return 'odd'
      resolve(found)
      return 'all'
    })
  }

  scan(options: ScanOptions = {}): AsyncGenerator<Pair[], void, undefined> {
    return this.#batches(options, false, pairsIn)
  }

  keys(options: ScanOptions = {}): AsyncGenerator<Uint8Array[], void, undefined> {
    return this.#batches(options, true, keysIn)
  }

  /** The next batch is asked for when one arrives, so that it is on its way while that one is worked on. */
  async *#batches<B extends { readonly length: number }>(
    options: ScanOptions,
    keysOnly: boolean,
    read: (records: (Answer & { kind: 'pairs' })['records']) => B,
  ): AsyncGenerator<B, void, undefined> {
    this.#assertOpen()
    const { limit } = options
    let left = limit === undefined || limit < 0 ? Number.POSITIVE_INFINITY : limit
    if (left === 0) return
    const number = ++this.#last
    const ask = (request: Request): Promise<B> => {
      const batch = this.#ask<B>(request, (answer, resolve) => {
        if (answer.kind !== 'pairs') return 'odd'
        resolve(read(answer.records))
        return 'all'
      })
      // Nobody may be there to hear of it, when the scan is left early.
      batch.catch(() => undefined)
      return batch
    }
    let next: Promise<B> | undefined = ask({ kind: 'scan', number, keysOnly, options })
    try {
      while (next !== undefined) {
        const batch: B = await next
        next = undefined
        if (batch.length === 0) return
        left -= batch.length
        if (left > 0) next = ask({ kind: 'next', number })
        yield batch
        this.#assertOpen()
      }
    } finally {
      if (next !== undefined && this.#over === undefined)
        await this.#writer.write(encodeRequest({ kind: 'end', number }))
    }
  }

  async batch(operations: readonly Operation[], options: { readonly sync?: boolean | undefined } = {}): Promise<void> {
    this.#assertOpen()
    for (const operation of operations) {
      assertBytes(operation.key, 'key')
      if (operation.type === 'put') assertBytes(operation.value, 'value')
    }
    const number = ++this.#last
    const size = (each: Operation): number => each.key.length + (each.type === 'put' ? each.value.length : 0)
    const parts = inParts(operations, size).map((part) => ({ kind: 'write', number, operations: part }) as const)
    await this.#askDone({ kind: 'batch', number, sync: options.sync === true }, parts)
  }

  async clear(range: Range = {}): Promise<void> {
    this.#assertOpen()
    await this.#askDone({ kind: 'clear', number: ++this.#last, range })
  }

  async compact(): Promise<void> {
    this.#assertOpen()
    await this.#askDone({ kind: 'compact', number: ++this.#last })
  }

  async approximateSize(range: Range = {}): Promise<number> {
    this.#assertOpen()
    return (await this.#askDone({ kind: 'size', number: ++this.#last, range })) ?? 0
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Waits for what is under way, says good-bye, and waits until the host has heard it: then the turn is another's. */
  async #leave(): Promise<void> {
    const closed = new CodedError('STORE_CLOSED', 'The store was used after it was closed.')
    const open = this.#over === undefined
    this.#over ??= closed
    await Promise.all(this.#settling)
    this.#over = closed
    if (open && !this.#stream.destroyed) {
      this.#stream.end()
      if (!this.#stream.closed) await once(this.#stream, 'close')
    }
    this.#stream.destroy()
  }

  /** A promise for each of `#pending`. */
  readonly #settling = new Set<Promise<unknown>>()

  #askDone(request: Request, before: readonly Request[] = []): Promise<number | undefined> {
    const judge: Judge<number | undefined> = (answer, resolve) => {
      if (answer.kind !== 'done') return 'odd'
      resolve(answer.size)
      return 'all'
    }
    return this.#ask(request, judge, before)
  }

  /** Sends a request, and what has to go before it, and gives each answer to `judge`. */
  #ask<T>(request: Request, judge: Judge<T>, before: readonly Request[] = []): Promise<T> {
    const { number } = request
    const answered = new Promise<T>((resolve, reject) => {
      this.#pending.set(number, {
        take: (answer) => {
          if (answer.kind === 'error') {
            reject(answer.error.code === 'STORE_CLOSED' ? lost(answer.error) : answer.error)
            return true
          }
          const verdict = judge(answer, resolve)
          if (verdict === 'odd') throw nonsense(`an answer that does not fit what was asked: ${answer.kind}`)
          return verdict === 'all'
        },
        fail: reject,
      })
    })
    const settled = answered.then(ignore, ignore).finally(() => this.#settling.delete(settled))
    this.#settling.add(settled)
    void this.#send([...before, request])
    return answered
  }

  async #send(requests: readonly Request[]): Promise<void> {
    for (const request of requests) await this.#writer.write(encodeRequest(request))
  }

  /** Hands answers to those who asked, until the connection ends. */
  async #listen(messages: AsyncIterable<Message>): Promise<void> {
    let cause: unknown
    try {
      for await (const message of messages) this.#hear(parseAnswer(message))
    } catch (error) {
      cause = error
    }
    this.#over ??= lost(cause)
    for (const { fail } of this.#pending.values()) fail(lost(cause))
    this.#pending.clear()
    this.#stream.destroy()
  }

  #hear(answer: Answer): void {
    const pending = this.#pending.get(answer.number)
    if (pending === undefined) {
      // The last batch of a scan that was left, perhaps; nobody waits for it.
      if (answer.number > this.#last) throw nonsense('an answer to what was never asked')
      return
    }
    if (pending.take(answer)) this.#pending.delete(answer.number)
  }

  #assertOpen(): void {
    if (this.#over !== undefined) throw this.#over
  }
}

/** Looks at an answer: whether more are to come, it was the last, or it does not fit. */
type Judge<T> = (answer: Answer, resolve: (value: T) => void) => 'more' | 'all' | 'odd'

function ignore(): void {}

/** Cuts a list into parts of about `PART_BYTES`. */
function inParts<T>(items: readonly T[], size: (item: T) => number): T[][] {
  const parts: T[][] = []
  let [part, bytes]: [T[], number] = [[], 0]
  for (const item of items) {
    if (part.length > 0 && (bytes + size(item) > PART_BYTES || part.length >= KEYS_AT_ONCE)) {
      parts.push(part)
      part = []
      bytes = 0
    }
    part.push(item)
    bytes += size(item)
  }
  if (part.length > 0) parts.push(part)
  return parts
}

/** The error for all that is asked of a host that is not there any more. */
function lost(cause: unknown): CodedError {
  return new CodedError('STORE_IO', 'The server that held the store has gone away.', {
    hint: 'Run the same command again.',
    cause,
  })
}

function nonsense(what: string): CodedError {
  return new CodedError('BAD_RECORD', `The server that holds the store said something that makes no sense: ${what}.`)
}

function otherVersion(processId: number | undefined): CodedError {
  const who = processId === undefined ? 'a server' : `process ${processId}`
  return new CodedError('STORE_LOCKED', `The store is held by ${who}, which is another version of weft.`, {
    hint: 'End that server, or run the weft that it was started with.',
  })
}
