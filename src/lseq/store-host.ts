/**
 * The side that has a store open and lets others use it, one connection at a time (`store-message.ts` has the messages).
 *
 * LevelDB gives a store to one process. Where that is a server, other programs reach the store through it, and find what
 * they would have found with the store in their own hands: nobody else writes from their first read to their last write.
 * So a connection has the *turn* from when it is let in until it ends, and the server's own writers take the same one.
 *
 * A connection that is silent keeps its turn: its user may be writing a message. It loses it when the stream ends.
 * @module
 */
import type { Duplex } from 'node:stream'
import { CodedError } from '../base/error.js'
import { type Message, MessageWriter, readMessages } from './message-stream.js'
import type { Operation, Pair, Store } from './store.js'
import {
  encodeDone,
  encodeError,
  encodeHello,
  encodeKeys,
  encodePairs,
  encodeSign,
  encodeValues,
  MESSAGE_VERSION,
  PART_BYTES,
  parseHello,
  parseRequest,
  type Request,
} from './store-message.js'
import type { Turn } from './turn.js'

/** What a host needs beside the store. */
export interface HostOptions {
  readonly turn: Turn
  /** Runs each write of a connection, for those who remember what they have read of the store. */
  readonly write?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined
  /**
   * Talks with who comes for something else than the store: from then on the stream is its own. Nobody waits for a turn for
   * that. Without it, who asks for it is sent away.
   */
  readonly talk?: ((stream: Duplex) => Promise<void>) | undefined
  /** From then on nobody is let in, and who waits is sent away; who has the turn goes on. */
  readonly signal?: AbortSignal | undefined
}

/** Requests of one connection that are worked on at a time; those behind them wait. */
const AT_ONCE = 32

/** Most bytes of one batch: what a process can hold, and twice what the largest import writes at a time. */
const BATCH_LIMIT = 2 ** 30

/** Most scans of one connection that are not at their end. */
const SCANS_LIMIT = 1024

/** Batches of a scan, as they are asked for. */
interface Scan {
  readonly next: () => Promise<Uint8Array | undefined>
  readonly end: () => Promise<void>
}

/** Parts of a batch that was not written yet. */
interface Parts {
  operations: Operation[]
  bytes: number
}

/**
 * Serves one connection until it ends. What was under way is finished before the turn is given back.
 *
 * @returns when the connection is over, whatever ended it. It never fails.
 */
export async function hostConnection(store: Store, stream: Duplex, options: HostOptions): Promise<void> {
  // Whatever goes wrong with a stream also closes it, and that is seen.
  stream.on('error', () => undefined)
  try {
    await converse(store, stream, options)
  } catch {
    // Bytes that make no sense: there is nobody there to talk to.
    stream.destroy()
  }
}

async function converse(store: Store, stream: Duplex, options: HostOptions): Promise<void> {
  const { turn, signal } = options
  const writer = new MessageWriter(stream)
  const messages = readMessages(stream.iterator({ destroyOnReturn: false }))
  const first = await messages.next()
  if (first.done === true) return void stream.end()
  if (first.value.letter === 'C') {
    if (options.talk === undefined || signal?.aborted === true) return void stream.end()
    await messages.return()
    await writer.write(encodeSign('T'))
    return options.talk(stream)
  }
  const { version } = parseHello(first.value)
  await writer.write(encodeHello(process.pid))
  if (version !== MESSAGE_VERSION) return void stream.end()
  // The client says nothing before it has the turn, so what is read until then is that it has gone.
  const ahead = messages.next()
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  ahead.then(leave, leave)
  if (turn.taken) await writer.write(encodeSign('L'))
  const release = await turn.take(signal === undefined ? gone.signal : AbortSignal.any([gone.signal, signal]))
  try {
    const connection = new Connection(store, writer, options)
    try {
      await writer.write(encodeSign('T'))
      for (let next = await ahead; next.done !== true; next = await messages.next()) await connection.take(next.value)
    } finally {
      await connection.finish()
    }
    stream.end()
  } finally {
    release()
  }
}

/** A connection that has the turn. */
class Connection {
  readonly #store: Store
  readonly #writer: MessageWriter
  readonly #write: <T>(work: () => Promise<T>) => Promise<T>
  readonly #scans = new Map<number, Scan>()
  readonly #parts = new Map<number, Parts>()
  readonly #working = new Set<Promise<void>>()

  constructor(store: Store, writer: MessageWriter, { write }: HostOptions) {
    this.#store = store
    this.#writer = writer
    this.#write = write ?? ((work) => work())
  }

  /** Begins to work on a request, once there are not too many of them. */
  async take(message: Message): Promise<void> {
    const request = parseRequest(message)
    while (this.#working.size >= AT_ONCE) await Promise.race(this.#working)
    const work = this.#answer(request).finally(() => this.#working.delete(work))
    this.#working.add(work)
  }

  /** Waits for what is under way, and lets go of the rest. */
  async finish(): Promise<void> {
    this.#parts.clear()
    await Promise.all(this.#working)
    await Promise.all([...this.#scans.values()].map((scan) => scan.end()))
  }

  /** Does what is asked and says what came of it. */
  async #answer(request: Request): Promise<void> {
    let answer: Uint8Array | undefined
    try {
      answer = await this.#do(request)
    } catch (error) {
      answer = encodeError(request.number, coded(error))
    }
    if (answer !== undefined) await this.#writer.write(answer)
  }

  /** @returns the message that answers, if one does. */
  async #do(request: Request): Promise<Uint8Array | undefined> {
    const { number } = request
    switch (request.kind) {
      case 'get':
        return this.#get(number, request.keys)
      case 'scan':
        return this.#scan(request)
      case 'next':
        return this.#next(number)
      case 'end':
        return this.#end(number)
      case 'write':
        return this.#gather(number, request.operations)
      case 'batch': {
        const { operations, bytes } = this.#parts.get(number) ?? { operations: [], bytes: 0 }
        this.#parts.delete(number)
        if (bytes > BATCH_LIMIT) throw tooLarge(bytes)
        await this.#write(() => this.#store.batch(operations, { sync: request.sync }))
        return encodeDone(number)
      }
      case 'clear':
        await this.#write(() => this.#store.clear(request.range))
        return encodeDone(number)
      case 'compact':
        await this.#write(() => this.#store.compact())
        return encodeDone(number)
      case 'size':
        return encodeDone(number, await this.#store.approximateSize(request.range))
    }
  }

  /** Values go in several messages where they are many. */
  async #get(number: number, keys: readonly Uint8Array[]): Promise<Uint8Array> {
    let [part, bytes]: [(Uint8Array | undefined)[], number] = [[], 0]
    for (const value of await this.#store.getMany(keys)) {
      part.push(value)
      bytes += value?.length ?? 0
      if (bytes < PART_BYTES) continue
      await this.#writer.write(encodeValues(number, part))
      part = []
      bytes = 0
    }
    if (part.length > 0) await this.#writer.write(encodeValues(number, part))
    return encodeDone(number)
  }

  async #scan(request: Request & { readonly kind: 'scan' }): Promise<Uint8Array | undefined> {
    const { number, keysOnly, options } = request
    if (this.#scans.has(number) || this.#scans.size >= SCANS_LIMIT) throw refused('too many scans at a time')
    const scan = keysOnly
      ? open(this.#store.keys(options), (keys) => encodeKeys(number, keys), options.limit)
      : open(this.#store.scan(options), (pairs: Pair[]) => encodePairs(number, pairs), options.limit)
    this.#scans.set(number, scan)
    return this.#next(number)
  }

  async #next(number: number): Promise<Uint8Array | undefined> {
    const scan = this.#scans.get(number)
    if (scan === undefined) throw refused('there is no such scan')
    let batch: Uint8Array | undefined
    try {
      batch = await scan.next()
    } finally {
      if (batch === undefined) await this.#end(number)
    }
    return batch ?? encodePairs(number, [])
  }

  async #end(number: number): Promise<undefined> {
    const scan = this.#scans.get(number)
    this.#scans.delete(number)
    await scan?.end()
    return undefined
  }

  /** Takes a part at once: the `b` behind it may be worked on before this settles. */
  #gather(number: number, operations: readonly Operation[]): undefined {
    const parts = this.#parts.get(number) ?? { operations: [], bytes: 0 }
    this.#parts.set(number, parts)
    for (const each of operations) parts.bytes += each.key.length + (each.type === 'put' ? each.value.length : 0)
    if (parts.bytes > BATCH_LIMIT) parts.operations = []
    else for (const each of operations) parts.operations.push(each)
    return undefined
  }
}

/** A scan whose batches are messages, and which lets go of the store as soon as nothing more can come. */
function open<B extends { readonly length: number }>(
  batches: AsyncIterable<B>,
  encode: (batch: B) => Uint8Array,
  limit: number | undefined,
): Scan {
  const iterator = batches[Symbol.asyncIterator]()
  let left = limit ?? Number.POSITIVE_INFINITY
  const end = async (): Promise<void> => void (await iterator.return?.())
  const next = async (): Promise<Uint8Array | undefined> => {
    const found = await iterator.next()
    if (found.done === true) return undefined
    left -= found.value.length
    if (left <= 0) await end()
    return encode(found.value)
  }
  return { next, end }
}

/** What can be told of any failure. */
function coded(error: unknown): CodedError {
  if (error instanceof CodedError) return error
  return refused(error instanceof Error ? error.message : String(error))
}

function refused(reason: string): CodedError {
  return new CodedError('STORE_IO', `The server that holds the store could not do that: ${reason}.`)
}

function tooLarge(bytes: number): CodedError {
  return refused(`${bytes} bytes are too much for one batch`)
}
