/**
 * The asking side: brings a repository and a peer up to date.
 *
 * One exchange is enough where the peer's first words may be waited for. Where they may not (`Peer.isInteractive`), what the
 * peer had after the last exchange is remembered, and what is newer than that is sent at once; what was wrong about it
 * is made good by a second exchange.
 * @module
 */
import { readRepositoryId } from '../history/genesis.js'
import { publishedTips, recordedTips, Tips } from '../history/published.js'
import { ownHello } from './answer.js'
import type { SyncContext } from './context.js'
import type { Call, Peer } from './exchange.js'
import { badFrame, FrameReader, writeFrame } from './frames.js'
import { goneError, readHello } from './hearing.js'
import { type Accepted, Intake, markPublished } from './intake.js'
import {
  type Done,
  decodeDone,
  decodeError,
  encodeDone,
  encodeHello,
  FRAME,
  type Goal,
  type Refusal,
} from './messages.js'
import { type Missing, missingVersions, unseenClashes } from './missing.js'
import { rememberedTips, rememberTips } from './remembered.js'
import { sendVersions } from './send.js'

/** Which way versions are to go. */
export type Direction = 'pull' | 'push' | 'sync'

/** How to ask. */
export interface AskOptions {
  readonly progress?: ((phase: string, done: number, total: number) => void) | undefined
}

/** What came of it. */
export interface Asked {
  readonly url: string
  /** Versions of files that the peer lacked and has now. */
  readonly sent: number
  /** Versions that came and were let in. */
  readonly accepted: readonly Accepted[]
  /** Versions that came and were not let in. */
  readonly refused: readonly Refusal[]
  /** Versions that the peer did not let in. */
  readonly refusedThere: readonly Refusal[]
  /** Versions that the peer keeps aside until their past has come. */
  readonly waitingThere: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly exchanges: number
  /** What the peer has now. */
  readonly theirs: Tips
}

/** More exchanges than these do not make it better: whatever is missing then is missing for a reason that was told. */
const EXCHANGES = 5

/**
 * Brings both, or one of them, up to date.
 *
 * @throws {CodedError} `SYNC_*`, `REPO_OTHER`, `PROTOCOL_OTHER`; what the carrier and the store throw. What had come by then
 *   and was sound is kept.
 */
export async function ask(
  context: SyncContext,
  peer: Peer,
  direction: Direction,
  options: AskOptions = {},
): Promise<Asked> {
  const conversation = new Conversation(context, peer, direction, options)
  for (let isDone = false; !isDone && conversation.exchanges < EXCHANGES; ) isDone = await conversation.exchange()
  return conversation.result()
}

class Conversation {
  readonly #context: SyncContext
  readonly #peer: Peer
  readonly #direction: Direction
  readonly #progress: NonNullable<AskOptions['progress']>
  readonly #intake: Intake
  #sent = 0
  #refusedThere: readonly Refusal[] = []
  #waitingThere = 0
  #bytesSent = 0
  #bytesReceived = 0
  #theirs = new Tips()
  /** Streams that the other side is told nothing of, so that it sends its own. */
  #clashing: ReadonlySet<number> = new Set()
  /** What the peer had when the exchange began. */
  #greeted = new Tips()
  /** Whether the peer has more for this side than it could send. */
  #wantsMore = false
  exchanges = 0

  constructor(context: SyncContext, peer: Peer, direction: Direction, options: AskOptions) {
    this.#context = context
    this.#peer = peer
    this.#direction = direction
    this.#progress = options.progress ?? (() => undefined)
    this.#intake = new Intake(context)
  }

  result(): Asked {
    const { accepted, refused } = this.#intake
    return {
      url: this.#peer.url,
      sent: this.#sent,
      accepted,
      refused,
      refusedThere: this.#refusedThere,
      waitingThere: this.#waitingThere,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      exchanges: this.exchanges,
      theirs: this.#theirs,
    }
  }

  /** One exchange; answers whether there is nothing left to do. */
  async exchange(): Promise<boolean> {
    const isFirst = this.exchanges++ === 0
    const { entries, versions } = this.#context
    const repository = await readRepositoryId(entries)
    const mine = await publishedTips(entries, versions)
    const sends = this.#direction !== 'pull'
    const wants = isFirst ? this.#direction !== 'push' : this.#wantsMore
    const goal: Goal = wants || this.#clashing.size > 0 ? 'sync' : 'send'
    const { renumbered } = this.#intake
    const call = await this.#peer.call()
    const counted: Pick<Call, 'write'> = {
      write: (bytes) => {
        this.#bytesSent += bytes.length
        return call.write(bytes)
      },
    }
    const reader = new FrameReader(call.read)
    try {
      await writeFrame(
        counted,
        FRAME.hello,
        encodeHello({ ...ownHello(this.#context, repository, mine.without(this.#clashing)), goal }),
      )
      const remembered = this.#peer.isInteractive ? undefined : await this.#remembered(isFirst, mine)
      const theirs = this.#peer.isInteractive ? await this.#hello(reader, repository) : remembered
      const clashing = theirs === undefined ? [] : await unseenClashes(this.#context, mine, theirs)
      const isSending = sends && theirs !== undefined && clashing.length === 0
      const toSend = isSending ? await missingVersions(versions, mine, theirs) : []
      if (toSend.length > 0) await markPublished(this.#context, mine)
      const [, done] = await Promise.all([
        this.#send(call, counted, toSend, mine),
        this.#receive(reader, this.#peer.isInteractive ? undefined : repository),
      ])
      this.#refusedThere = done.refused
      this.#waitingThere = done.waiting
      this.#theirs = done.tips
      if (this.#intake.renumbered > renumbered) return false
      if (clashing.length > 0) {
        const isNews = clashing.some((stream) => !this.#clashing.has(stream))
        this.#clashing = new Set(clashing)
        return !isNews
      }
      this.#clashing = new Set()
      await rememberTips(this.#context, this.#peer.url, done.tips)
      // While this went on something else came there, or was given another id.
      this.#wantsMore = this.#direction !== 'push' && !this.#greeted.join(mine).includes(done.tips)
      if (this.#wantsMore) return false
      if (!sends) return true
      const left = await missingVersions(versions, mine, done.tips)
      this.#sent += this.#peer.isInteractive || theirs !== undefined ? arrived(toSend, left) : 0
      return left.length === 0 || this.#peer.isInteractive || left.length === toSend.length
    } finally {
      this.#bytesReceived += reader.bytes
      call.close()
    }
  }

  /**
   * What the peer had when it was last spoken to; undefined where nothing can be made of that. The first versions of a
   * stream are not sent before it is known whether the peer has another stream of that id: once they are, it is too late to
   * give it another one.
   */
  async #remembered(isFirst: boolean, mine: Tips): Promise<Tips | undefined> {
    const { entries } = this.#context
    const recorded = await recordedTips(entries)
    if (isFirst && [...mine].some(({ stream }) => recorded.get(stream) === undefined)) return undefined
    return rememberedTips(entries, this.#peer.url)
  }

  async #send(call: Call, counted: Pick<Call, 'write'>, missing: readonly Missing[], mine: Tips): Promise<void> {
    const total = missing.length
    await sendVersions(this.#context, counted, missing, (sent) => this.#progress('sending', sent, total))
    await writeFrame(counted, FRAME.done, encodeDone({ tips: mine, refused: [], waiting: 0 }))
    await call.end()
  }

  /** @param repository - Where the peer's first frame is still to come. */
  async #receive(reader: FrameReader, repository: Uint8Array | undefined): Promise<Done> {
    if (repository !== undefined) await this.#hello(reader, repository)
    const intake = this.#intake
    for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
      switch (frame.type) {
        case FRAME.page:
          intake.page(frame.body)
          break
        case FRAME.batch:
          await intake.batch()
          this.#progress('receiving', intake.accepted.length, 0)
          break
        case FRAME.done:
          if (intake.isOpen) throw badFrame('it ends in the middle of a batch')
          return decodeDone(frame.body)
        case FRAME.error:
          throw decodeError(frame.body)
        default:
          throw badFrame(`a frame ${frame.type} has no place here`)
      }
    }
    throw goneError()
  }

  async #hello(reader: FrameReader, repository: Uint8Array): Promise<Tips> {
    this.#greeted = (await readHello(reader, repository)).tips
    return this.#greeted
  }
}

/** How many of the versions of files that were sent are no longer missing there. */
function arrived(sent: readonly Missing[], left: readonly Missing[]): number {
  const missing = new Set(left.map(({ last, stream }) => `${last} ${stream}`))
  return sent.filter(({ last, stream, isContent }) => isContent && !missing.has(`${last} ${stream}`)).length
}
