/**
 * Taking in what the other side sends: whole batches of versions, checked before anything is written.
 *
 * What a batch brings is admitted (history/admit.ts) and written in one atomic step, with the record of what is published. What
 * stands on something that is not here is kept aside, and tried again when more has come.
 * @module
 */
import { compareBytes } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { type Admission, admit } from '../history/admit.js'
import { decodeGenesis } from '../history/genesis.js'
import { publishedTips, recordedTips, recordTips, type Tip, type Tips, tipOf } from '../history/published.js'
import type { Entry } from '../lseq/batch.js'
import { LSEQ_BYTES, type Lseq, lseqOfKey } from '../lseq/lseq.js'
import { openPage } from '../lseq/page.js'
import type { Operation } from '../lseq/store.js'
import { ASIDE_BYTES, dropAside, keepAside, listAside, readAside, type WholeVersion } from './aside.js'
import { exclusively, type SyncContext } from './context.js'
import { badFrame } from './frames.js'
import type { Refusal } from './messages.js'

/** Bytes of entries of one batch at most, unpacked: one version has to fit. */
export const BATCH_BYTES = 1 << 30

/** What an entry takes beside its bytes: without it a small page of very many entries would take more than is reckoned. */
const ENTRY_COST = 200

/** More entries than this go into pages at once. */
const LOOSE_LIMIT = 4096

/** A version that was let in. */
export type Accepted = Admission['accepted'][number]

export class Intake {
  readonly #context: SyncContext
  readonly #limit: number
  #entries: Entry[] = []
  #bytes = 0
  readonly accepted: Accepted[] = []
  readonly refused: Refusal[] = []
  /** Versions that were here already. */
  known = 0

  /** How often own streams were given other ids. */
  renumbered = 0

  /** @param limit - Bytes of one batch, unpacked. */
  constructor(context: SyncContext, limit = BATCH_BYTES) {
    this.#context = context
    this.#limit = limit
  }

  /**
   * Takes one page of the batch that is coming.
   *
   * @throws {CodedError} `SYNC_FRAME` for a batch that is too large, `PAGE_CORRUPT`.
   */
  page(bytes: Uint8Array): void {
    const page = openPage(bytes)
    this.#take(page.bodyBytes + page.count * ENTRY_COST)
    for (const entry of page.unpack()) {
      this.#take(entry.key.length)
      this.#entries.push(entry)
    }
  }

  #take(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes > this.#limit) throw badFrame(`a batch of more than ${this.#limit} bytes comes at once`)
  }

  /** Whether pages have come whose batch has not ended. */
  get isOpen(): boolean {
    return this.#entries.length > 0
  }

  /** Ends the batch: what is sound of it is in the store when this settles. */
  async batch(): Promise<void> {
    const incoming = this.#entries
    this.#entries = []
    this.#bytes = 0
    this.#context.seen?.(keysIn(incoming))
    await exclusively(this.#context, async () => {
      if (!(await this.#admit(incoming))) return
      await this.#retry()
      await this.#context.accepted?.()
    })
  }

  /** Tries what is kept aside, for whoever has let something in by another way. */
  retry(): Promise<void> {
    return exclusively(this.#context, () => this.#retry())
  }

  /** Lets in what can be; answers whether anything was. */
  async #admit(incoming: readonly Entry[]): Promise<boolean> {
    const admission = await this.#lookTwice(incoming)
    const aside = await this.#asideRoom(admission)
    await this.#write(admission, aside.map(keepAside))
    this.#tell(admission)
    this.known += admission.known.length
    return admission.accepted.length > 0
  }

  async #retry(): Promise<void> {
    for (let isProgress = true; isProgress; ) {
      const aside = await readAside(this.#context.entries)
      if (aside.length === 0) return
      const admission = await this.#look(aside.flatMap(({ entries }) => entries))
      const waits = new Set(admission.waiting.map(({ version }) => nameOf(version)))
      const done = aside.filter((version) => !waits.has(nameOf(version)))
      await this.#write(admission, done.map(dropAside))
      this.#tell(admission)
      isProgress = admission.accepted.length > 0 && done.length > 0
    }
  }

  /** Where a stream that came has the id of one's own, which nobody else has seen, that one is given another id. */
  async #lookTwice(incoming: readonly Entry[]): Promise<Admission> {
    const admission = await this.#look(incoming)
    const { entries, renumber } = this.#context
    if (renumber === undefined) return admission
    const recorded = await recordedTips(entries)
    const clashes = admission.refused.filter(({ code }) => code === 'STREAM_CLASH')
    const streams = new Set(clashes.flatMap(({ version }) => version?.stream ?? []))
    const own = [...streams].filter((stream) => recorded.get(stream) === undefined)
    const done = own.length > 0 && (await renumber(own, { published: [...recorded], avoid: streamsIn(incoming) }))
    if (!done) return admission
    this.renumbered++
    return this.#look(incoming)
  }

  #look(incoming: readonly Entry[]): Promise<Admission> {
    const { entries, versions, maySign } = this.#context
    return admit({ entries, versions }, incoming, { maySign })
  }

  /** Of the versions that have to wait those for which there is room; the others are refused. */
  async #asideRoom({ waiting }: Admission): Promise<WholeVersion[]> {
    if (waiting.length === 0) return []
    let { bytes } = await listAside(this.#context.entries)
    const kept: WholeVersion[] = []
    for (const { version, entries } of waiting) {
      bytes += entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
      const { seq, stream } = version
      const reason = 'It has to wait for versions that are not here, and there is no room for more that do.'
      if (bytes > ASIDE_BYTES) this.refused.push({ seq, stream, code: 'SYNC_ASIDE_FULL', reason })
      else kept.push({ seq, stream, entries: sorted(entries) })
    }
    return kept
  }

  async #write({ entries, accepted, evidence }: Admission, others: readonly Operation[]): Promise<void> {
    const store = this.#context.entries
    // Streams that come in are not to be taken for this replica's own.
    const operations: Operation[] = [...others, ...(this.#context.replica?.operations([]) ?? [])]
    for (const { key, value } of evidence) operations.push({ type: 'put', key, value })
    if (accepted.length > 0) {
      const tips: Tip[] = accepted.map(tipOf)
      operations.push(recordTips((await recordedTips(store)).join(tips)))
    }
    if (entries.length === 0 && operations.length === 0) return
    if (entries.length <= LOOSE_LIMIT) return store.put(entries, { operations })
    await store.bulkWhole(async (writer) => {
      for (const { key, value } of sorted(entries)) {
        const wait = writer.add(key, value)
        if (wait !== undefined) await wait
      }
      return operations
    })
  }

  #tell({ accepted, refused }: Admission): void {
    this.accepted.push(...accepted)
    for (const { version, key, code, reason } of refused) {
      const { seq, stream } = version ?? lseqOfKey(key ?? NO_LSEQ)
      this.refused.push({ seq, stream, code, reason })
    }
  }
}

/** Streams that begin in a batch. */
function streamsIn(incoming: readonly Entry[]): number[] {
  return incoming.flatMap(({ key }) => (key[0] === GENESIS ? lseqOfKey(key).stream : []))
}

/** Public keys of the streams that begin in a batch, as far as they can be read. */
function keysIn(incoming: readonly Entry[]): Uint8Array[] {
  return incoming.flatMap(({ key, value }) => {
    if (key[0] !== GENESIS || lseqOfKey(key).stream === 0) return []
    try {
      return [decodeGenesis(value).publicKey]
    } catch (error) {
      if (error instanceof CodedError) return []
      throw error
    }
  })
}

const NO_LSEQ = new Uint8Array(LSEQ_BYTES)

const GENESIS = 'K'.charCodeAt(0)

function sorted(entries: readonly Entry[]): Entry[] {
  return [...entries].sort((a, b) => compareBytes(a.key, b.key))
}

function nameOf({ seq, stream }: Lseq): string {
  return `${seq} ${stream}`
}

/** What is to be offered, and remembered as published before it is. */
export async function offeredTips(context: SyncContext): Promise<Tips> {
  const tips = await publishedTips(context.entries, context.versions)
  await markPublished(context, tips)
  return tips
}

/** Remembers what others may have from now on. Whoever sends does so first. */
export async function markPublished(context: SyncContext, tips: Tips): Promise<void> {
  const { entries } = context
  if ((await recordedTips(entries)).includes(tips)) return
  // What has been let in meanwhile is recorded already, and stays.
  await exclusively(context, async () => {
    await entries.store.batch([recordTips(tips.join(await recordedTips(entries)))], { sync: true })
  })
}
