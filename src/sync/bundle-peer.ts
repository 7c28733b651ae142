/**
 * A bundle file as a peer: it answers every exchange with what it holds, and takes nothing.
 *
 * Batches of versions are sent as they are, whatever the asking side has: it knows what it knows already, and keeps aside
 * what lacks its past. A whole repository is sent as it is to a clone; for anybody else it is unpacked, and answers as a
 * repository does (`answer.ts`).
 * @module
 */
import { CodedError } from '../base/error.js'
import type { Tips } from '../history/published.js'
import { encodeRecord } from '../rdx/tlv.js'
import { answer, assertSame } from './answer.js'
import { type Bundle, openBundle } from './bundle-file.js'
import { unpackBundle } from './bundle-store.js'
import type { Call, Peer } from './exchange.js'
import { badFrame, FrameReader } from './frames.js'
import { exchangePair } from './memory.js'
import { BARE_HELLO, decodeHello, encodeDone, encodeHello, FRAME, type Hello } from './messages.js'
import { sendStoredAfter } from './stored-pages.js'

export class BundlePeer implements Peer {
  /** The path. */
  readonly url: string
  readonly isInteractive = true

  constructor(path: string) {
    this.url = path
  }

  /** @throws {CodedError} As `openBundle`. */
  async call(): Promise<Call> {
    const bundle = await openBundle(this.url)
    const [asking, answering] = exchangePair()
    const { write, end, close } = asking
    return { read: answered(bundle, new FrameReader(answering.read)), write, end, close }
  }

  /** News never comes of a file. */
  changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What a bundle says in an exchange. */
async function* answered(bundle: Bundle, asking: FrameReader): AsyncGenerator<Uint8Array> {
  try {
    const first = await asking.next()
    if (first?.type !== FRAME.hello) throw badFrame('it does not begin with a hello')
    const hello = decodeHello(first.body)
    if (hello.goal === 'send') throw readOnly(bundle.path)
    if (bundle.isWhole && hello.goal !== 'clone') return yield* unpacked(bundle, first.body, asking)
    yield* asItIs(bundle, hello)
    await drain(bundle, asking)
    yield encodeRecord(FRAME.done, encodeDone({ tips: tipsOf(bundle), refused: [], waiting: 0 }))
  } finally {
    await asking.close()
  }
}

/** The frames as they are in the file. */
async function* asItIs(bundle: Bundle, hello: Hello): AsyncGenerator<Uint8Array> {
  const { path, head, isWhole } = bundle
  const { repository, replica, branch } = head
  assertSame(repository, hello)
  if (hello.goal === 'clone' && !isWhole) throw incomplete(path)
  yield encodeRecord(FRAME.hello, encodeHello({ ...BARE_HELLO, repository, replica, branch, tips: tipsOf(bundle) }))
  for await (const { type, body } of bundle.frames()) {
    if (hello.after === undefined || type !== FRAME.stored) yield encodeRecord(type, body)
    else yield* sendStoredAfter(body, hello.after)
  }
}

/** What somebody has who took all of it. */
function tipsOf({ head: { since, tips } }: Bundle): Tips {
  return tips.join(since)
}

/** Reads what the asking side has to say to the end: nothing, but that it is done. */
async function drain({ path }: Bundle, asking: FrameReader): Promise<void> {
  for (let frame = await asking.next(); frame !== undefined; frame = await asking.next()) {
    if (frame.type === FRAME.page) throw readOnly(path)
    if (frame.type === FRAME.done) return
  }
}

/** What the unpacked repository answers. */
async function* unpacked(bundle: Bundle, hello: Uint8Array, asking: FrameReader): AsyncGenerator<Uint8Array> {
  await using context = await unpackBundle(bundle)
  const [reading, writing] = exchangePair()
  const exchange = { read: again(bundle, hello, asking), write: writing.write, end: writing.end }
  const done = answer(context, exchange, { read: true, write: false }).then(
    () => undefined,
    (error: unknown) => error,
  )
  let error: unknown
  try {
    yield* reading.read
  } finally {
    reading.close()
    error = await done
  }
  // What can be expected to go wrong has been told in the exchange.
  if (error !== undefined && !(error instanceof CodedError)) throw error
}

/** What the asking side says, its hello once more. */
async function* again({ path }: Bundle, hello: Uint8Array, asking: FrameReader): AsyncGenerator<Uint8Array> {
  yield encodeRecord(FRAME.hello, hello)
  for (let frame = await asking.next(); frame !== undefined; frame = await asking.next()) {
    if (frame.type === FRAME.page) throw readOnly(path)
    yield encodeRecord(frame.type, frame.body)
  }
}

function readOnly(path: string): CodedError {
  return new CodedError('SYNC_DENIED', `${path} is a bundle: things are taken from it, and nothing is put in.`, {
    hint: 'Take from it with `weft pull`, and make another one with `weft bundle create`.',
  })
}

function incomplete(path: string): CodedError {
  return new CodedError('BUNDLE_INCOMPLETE', `${path} holds only what is newer than something else.`, {
    hint: 'Clone from a bundle that was made without --since, then apply this one there.',
  })
}
