/**
 * Verification beside the main thread.
 *
 * Rebuilding and hashing every file version, and checking signatures, are most of a verification and need no store. Line
 * entries go over to a worker as they are read for their leaves; signatures wait in a queue from which the worker and,
 * once it has nothing else to do, the main thread take. Small repositories, and programs that run from sources without a
 * build, do all of it in place.
 *
 *     main                                   worker
 *     graph, path writes    ----------->     builds vectors
 *     line entries          ----------->     rebuilds, hashes
 *                           <-----------     taken; at most AHEAD batches are under way
 *     end of lines          ----------->
 *                           <-----------     counts, wrong writes, damage
 *     signatures            ----------->     verifies
 *                           <-----------     numbers of the wrong ones, and so on until the queue is empty
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { EntryBatch } from '../lseq/batch.js'
import { type Damage, Findings } from './findings.js'
import type { Graph, GraphColumns } from './graph.js'
import { type SignatureBatch, type SignatureQueue, wrongSignatures } from './signatures.js'
import { ContentCheck, LineContents, type PathWrite, type PathWrites } from './verify-contents.js'
import type { SourceGraph } from './verify-versions.js'

/** What main says. */
export type ToWorker =
  | {
      readonly kind: 'start'
      readonly graph: GraphColumns
      readonly byFile: PathWrites['byFile']
      readonly sources: SourceGraph
    }
  | ({ readonly kind: 'lines' } & BatchColumns)
  | { readonly kind: 'end' }
  | { readonly kind: 'signatures'; readonly batch: SignatureBatch }

/** What the worker says. */
export type FromWorker =
  | { readonly kind: 'taken' }
  | ({ readonly kind: 'contents' } & ContentsReport)
  | { readonly kind: 'signatures'; readonly wrong: readonly number[] }

/** The columns of a batch: what survives the way between threads. */
export type BatchColumns = Pick<EntryBatch, 'keys' | 'keyStarts' | 'keyEnds' | 'values' | 'valueStarts' | 'valueEnds'>

/** What checking contents comes to. */
export interface ContentsReport {
  readonly files: number
  readonly bytes: number
  readonly wrong: readonly PathWrite[]
  readonly damage: readonly Damage[]
  readonly doubts: readonly Damage[]
}

/** What both kinds of help come to. */
export interface HelpReport extends ContentsReport {
  /** Numbers of the versions whose signature does not hold. */
  readonly wrongSignatures: readonly number[]
}

/** Somebody who takes line entries in key order, and signatures, and says in the end what is wrong with them. */
export interface Helper extends AsyncDisposable {
  takeLines(batch: EntryBatch): Promise<void>
  finish(): Promise<HelpReport>
}

/** Batches of lines that may be under way, each a page of a megabyte. */
const AHEAD = 48

/** From this many file versions on, a thread is worth the 60 ms it takes to start. */
const WORTH_A_THREAD = 4000

/** Where the worker is, seen from this module in the library, and from the bundle. */
const PLACES = ['./verify-worker.js', '../history/verify-worker.js']

/** Help in a thread of its own, where that pays. */
export function findHelp(graph: Graph, writes: PathWrites, signatures: SignatureQueue, sources: SourceGraph): Helper {
  let count = 0
  for (const list of writes.byFile.values()) count += list.length
  const urls = PLACES.map((place) => new URL(place, import.meta.url))
  const worker = count < WORTH_A_THREAD ? undefined : urls.find((url) => existsSync(url))
  if (worker === undefined) return inPlace(graph, writes, signatures, sources)
  return new Thread(worker, graph, writes, signatures, sources)
}

function inPlace(graph: Graph, writes: PathWrites, signatures: SignatureQueue, sources: SourceGraph): Helper {
  const findings = new Findings()
  const check = new ContentCheck()
  const contents = new LineContents(graph, writes, findings, check.visit, sources)
  return {
    async takeLines(batch) {
      contents.take(batch)
    },
    async finish() {
      contents.finish()
      const wrong: number[] = []
      for (let batch = signatures.take(); batch !== undefined; batch = signatures.take()) {
        wrong.push(...wrongSignatures(batch))
      }
      return { ...reportOf(check, findings), wrongSignatures: wrong }
    },
    async [Symbol.asyncDispose]() {},
  }
}

/** What a content check and its findings come to. */
export function reportOf({ files, bytes, wrong }: ContentCheck, { damage, doubts }: Findings): ContentsReport {
  return { files, bytes, wrong, damage, doubts }
}

class Thread implements Helper {
  readonly #worker: Worker
  readonly #signatures: SignatureQueue
  readonly #wrongSignatures: number[] = []
  #underWay = 0
  /** Whether the worker has a batch of signatures. */
  #busy = false
  #failure: unknown
  #report: ContentsReport | undefined
  #wake: () => void = () => undefined

  constructor(url: URL, graph: Graph, { byFile }: PathWrites, signatures: SignatureQueue, sources: SourceGraph) {
    this.#signatures = signatures
    this.#worker = new Worker(url)
    this.#worker.on('message', (message: FromWorker) => this.#receive(message))
    this.#worker.on('error', (error) => {
      this.#failure = error
      this.#wake()
    })
    this.#say({ kind: 'start', graph: graph.columns(), byFile, sources })
  }

  async takeLines({ keys, keyStarts, keyEnds, values, valueStarts, valueEnds }: EntryBatch): Promise<void> {
    await this.#until(() => this.#underWay < AHEAD)
    this.#underWay++
    this.#say({ kind: 'lines', keys, keyStarts, keyEnds, values, valueStarts, valueEnds })
  }

  async finish(): Promise<HelpReport> {
    this.#say({ kind: 'end' })
    for (let batch = this.#signatures.take(); batch !== undefined; batch = this.#signatures.take()) {
      this.#wrongSignatures.push(...wrongSignatures(batch))
      // Lets the worker's messages in, so that it is given its share.
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    await this.#until(() => this.#report !== undefined && !this.#busy)
    return { ...(this.#report as ContentsReport), wrongSignatures: this.#wrongSignatures }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate()
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'taken') this.#underWay--
    else {
      if (message.kind === 'contents') this.#report = message
      else this.#wrongSignatures.push(...message.wrong)
      const batch = this.#signatures.take()
      this.#busy = batch !== undefined
      if (batch !== undefined) this.#say({ kind: 'signatures', batch })
    }
    this.#wake()
  }

  #say(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  async #until(condition: () => boolean): Promise<void> {
    while (this.#failure === undefined && !condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    if (this.#failure !== undefined) throw this.#failure
  }
}
