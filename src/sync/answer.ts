/**
 * The answering side of an exchange: what a server does, and a repository that is reached in another way.
 *
 * Both directions go on at once: what the asking side lacks is sent while what it sends comes in.
 * @module
 */
import { equalBytes, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { readRepositoryId } from '../history/genesis.js'
import { publishedTips, type Tips } from '../history/published.js'
import type { Lseq } from '../lseq/lseq.js'
import { listAside } from './aside.js'
import type { SyncContext } from './context.js'
import type { Exchange } from './exchange.js'
import { badFrame, FrameReader, writeFrame } from './frames.js'
import { Intake, markPublished } from './intake.js'
import {
  BARE_HELLO,
  decodeHello,
  encodeDone,
  encodeError,
  encodeHello,
  FRAME,
  type Hello,
  type Refusal,
} from './messages.js'
import { type Missing, missing, missingVersions, unseenClashes } from './missing.js'
import { sendVersions } from './send.js'
import { sendStored } from './stored-pages.js'

/** What the asking side may do. */
export interface Permission {
  readonly read: boolean
  readonly write: boolean
}

/** Limits of one exchange. */
export interface AnswerOptions {
  /** Bytes of one batch, unpacked. */
  readonly batchBytes?: number | undefined
  /** Milliseconds to wait for news, where somebody listens for them. Default 25,000. */
  readonly listen?: number | undefined
}

/** What came of an exchange, for a server's log. */
export interface Answered {
  readonly goal: Hello['goal']
  readonly accepted: number
  readonly refused: number
  readonly sent: number
}

const LISTEN = 25_000

/**
 * Answers one exchange to its end. What goes wrong is told to the other side, and thrown.
 *
 * @throws {CodedError} `SYNC_*`, `PROTOCOL_OTHER`, `REPO_OTHER`, `BAD_RECORD`, and what the store throws.
 */
export async function answer(
  context: SyncContext,
  exchange: Exchange,
  permission: Permission,
  options: AnswerOptions = {},
): Promise<Answered> {
  const reader = new FrameReader(exchange.read)
  try {
    const answered = await converse(context, exchange, reader, permission, options)
    await exchange.end()
    return answered
  } catch (error) {
    const told = error instanceof CodedError ? error : new CodedError('SYNC_PEER', 'Something went wrong here.')
    // Where the other side has gone there is nobody to tell.
    await writeFrame(exchange, FRAME.error, encodeError(told)).then(
      () => exchange.end(),
      () => undefined,
    )
    throw error
  } finally {
    await reader.close()
  }
}

async function converse(
  context: SyncContext,
  exchange: Exchange,
  reader: FrameReader,
  permission: Permission,
  options: AnswerOptions,
): Promise<Answered> {
  const first = await reader.next()
  if (first?.type !== FRAME.hello) throw badFrame('it does not begin with a hello')
  const hello = decodeHello(first.body)
  const { goal } = hello
  if (goal === undefined) throw badFrame('it does not say what it wants')
  const repository = await readRepositoryId(context.entries)
  assertSame(repository, hello)
  if (goal === 'send' ? !permission.write : !permission.read) throw denied(goal === 'send' ? 'written' : 'read')
  if (goal === 'listen') await news(context, hello.tips, options.listen ?? LISTEN)
  const mine = await publishedTips(context.entries, context.versions)
  await writeFrame(exchange, FRAME.hello, encodeHello(ownHello(context, repository, mine)))

  const intake = new Intake(context, options.batchBytes)
  const [sent] = await Promise.all([send(context, exchange, hello, mine), receive(reader, intake, permission)])
  const clashes = intake.renumbered > 0 ? [] : await unseenClashes(context, mine, hello.tips)
  const { versions } = await listAside(context.entries)
  const tips = intake.accepted.length > 0 ? await publishedTips(context.entries, context.versions) : mine
  await writeFrame(
    exchange,
    FRAME.done,
    encodeDone({
      tips,
      refused: [...intake.refused, ...clashes.map((stream) => clashOf(stream, mine))],
      waiting: versions.length,
    }),
  )
  return { goal, accepted: intake.accepted.length, refused: intake.refused.length, sent }
}

/** What is told of a stream here that has the id of one of theirs, and cannot be sent. */
function clashOf(stream: number, mine: Tips): Refusal {
  const reason = 'There is another stream of that id here. Run `weft sync`: what is sent there settles it.'
  return { seq: mine.get(stream)?.seq ?? 0, stream, code: 'STREAM_CLASH', reason }
}

/** Sends what the asking side is after; answers how many versions that were. */
async function send(context: SyncContext, exchange: Exchange, hello: Hello, mine: Tips): Promise<number> {
  switch (hello.goal) {
    case 'sync': {
      // What clashes with a stream of theirs may get another id when that has come: they ask again.
      if ((await unseenClashes(context, mine, hello.tips)).length > 0) return 0
      const lacking = await missingVersions(context.versions, mine, hello.tips)
      if (lacking.length > 0) await markPublished(context, mine)
      await sendVersions(context, exchange, lacking)
      return lacking.length
    }
    case 'fetch': {
      const wanted = await wantedVersions(context, mine, hello.wanted)
      if (wanted.length > 0) await markPublished(context, mine)
      await sendVersions(context, exchange, wanted)
      return wanted.length
    }
    case 'clone':
      await markPublished(context, mine)
      await sendStored(context, exchange, mine, hello)
      return 0
    default:
      return 0
  }
}

/** Takes what the asking side sends, up to its last frame. */
async function receive(reader: FrameReader, intake: Intake, permission: Permission): Promise<void> {
  for (let frame = await reader.next(); frame !== undefined; frame = await reader.next()) {
    switch (frame.type) {
      case FRAME.page:
        if (!permission.write) throw denied('written')
        intake.page(frame.body)
        break
      case FRAME.batch:
        await intake.batch()
        break
      case FRAME.done:
        if (intake.isOpen) throw badFrame('it ends in the middle of a batch')
        return
      default:
        throw badFrame(`a frame ${frame.type} has no place here`)
    }
  }
  throw new CodedError('SYNC_CUT', 'The asking side went away before it was done.')
}

/** Those of the wanted versions that are offered, parents first. */
async function wantedVersions(context: SyncContext, mine: Tips, wanted: readonly Lseq[]): Promise<Missing[]> {
  const found: Missing[] = []
  const seen = new Set<string>()
  for (const lseq of [...wanted].sort((a, b) => a.seq - b.seq || a.stream - b.stream)) {
    const name = `${lseq.seq} ${lseq.stream}`
    if (!mine.covers(lseq) || seen.has(name)) continue
    seen.add(name)
    const version = await context.versions.get(lseq.seq, lseq.stream)
    if (version !== undefined) found.push(missing(version))
  }
  return found
}

/** Waits until there is something that `theirs` does not cover, or the time is over. */
async function news(context: SyncContext, theirs: Tips, milliseconds: number): Promise<void> {
  const until = Date.now() + milliseconds
  for (let left = milliseconds; left > 0; left = until - Date.now()) {
    if (!theirs.includes(await publishedTips(context.entries, context.versions))) return
    if (context.changed === undefined) return
    await context.changed(left)
  }
}

/** What a side says of itself. */
export function ownHello(context: SyncContext, repository: Uint8Array | undefined, tips: Tips): Hello {
  return { ...BARE_HELLO, repository, replica: context.replica?.id, branch: context.branch, tips }
}

/** @throws {CodedError} `REPO_OTHER`. */
export function assertSame(repository: Uint8Array, { repository: theirs, goal }: Hello): void {
  if (theirs === undefined && goal === 'clone') return
  if (theirs !== undefined && equalBytes(theirs, repository)) return
  const id = theirs === undefined ? 'none' : toHex(theirs.subarray(0, 4))
  throw new CodedError(
    'REPO_OTHER',
    `These are two repositories that have nothing in common: ${id} and ${toHex(repository.subarray(0, 4))}.`,
    { hint: 'Replicas begin as clones of each other. Use `weft clone` for a new one.' },
  )
}

function denied(what: string): CodedError {
  return new CodedError('SYNC_DENIED', `This repository may not be ${what} with what was shown.`, {
    hint: 'Ask whoever runs the server for a token that may (`weft serve token add`).',
  })
}
