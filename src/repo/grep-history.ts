/**
 * Searching every line that ever existed: which version put it, and which versions took it out.
 *
 * One pass over all runs and tombstones, in key order: a run's tombstones stand right behind it, so a match is complete
 * as soon as the next run begins. No weave is built and no version is looked at before something is found.
 * @module
 */
import { isTombstoneKey, kindRange } from '../history/keys.js'
import { decodeRanges } from '../lines/tombstone.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, type Lseq, lseqOfKey, readLseq } from '../lseq/lseq.js'
import { ChosenPaths } from './chosen-paths.js'
import type { RepositoryContext } from './context.js'
import { type Credit, Credits } from './credit.js'
import { type FileFacts, factsOf, filesEverAt } from './file-facts.js'
import { LinePattern, type MatchedLine } from './line-pattern.js'
import { formatPath } from './path-text.js'
import type { GrepMatch } from './results.js'

/** Matches whose versions are looked up together: few at first, so that the first are soon told, then more. */
const TOGETHER = { first: 512, most: 65_536 } as const

const NEWLINE = 10

/** A line that matched. */
interface Found {
  /** Its id, `stream-seq`. */
  readonly file: string
  readonly text: string
  /** First lseq of the run. */
  readonly run: Lseq
  /** Number of the line in its run. */
  readonly place: number
  /** Tombstones of the line. */
  readonly removed: Lseq[]
}

/**
 * The lines that match, of all that any version ever had, file by file in the order of birth.
 *
 * @throws {CodedError} `PATH_UNKNOWN` for paths at which there never was anything.
 */
export async function* grepHistory(
  repository: RepositoryContext,
  pattern: RegExp,
  options: { readonly paths?: readonly string[] },
): AsyncGenerator<GrepMatch> {
  const { entries } = repository
  const chosen = new ChosenPaths(options.paths)
  const only = chosen.all ? undefined : await filesEverAt(entries, chosen)
  const report = new Report(repository)
  const search = new Search(new LinePattern(pattern), only)
  let together: number = TOGETHER.first
  for await (const batch of entries.scan(kindRange('L'))) {
    search.push(batch)
    if (search.found.length < together) continue
    together = Math.min(together * 2, TOGETHER.most)
    yield* report.tell(search.take())
  }
  search.end()
  yield* report.tell(search.take())
}

/** Goes through line entries in key order. */
class Search {
  /** Complete: all tombstones of their runs have been seen. */
  found: Found[] = []
  readonly #pattern: LinePattern
  readonly #only: ReadonlySet<string> | undefined
  /** Matches in the run last seen, whose tombstones may still come. */
  #open: Found[] = []

  /** @param only - Ids of the files to search; undefined for all. */
  constructor(pattern: LinePattern, only: ReadonlySet<string> | undefined) {
    this.#pattern = pattern
    this.#only = only
  }

  /** Takes the next entries. */
  push(batch: EntryBatch): void {
    let i = this.#bury(batch, 0)
    if (i < batch.count) this.end()
    const hits = new Hits(batch, this.#pattern.needle)
    for (; i < batch.count; i++) {
      if (!hits.has(i) || isTombstoneKey(batch.key(i))) continue
      const lines = [...this.#pattern.matches(batch.value(i))]
      if (lines.length === 0) continue
      this.end()
      this.#begin(batch.key(i), lines)
      i = this.#bury(batch, i + 1) - 1
    }
  }

  /** No more tombstones come. */
  end(): void {
    this.found.push(...this.#open)
    this.#open = []
  }

  /** Hands over what was found. */
  take(): Found[] {
    const { found } = this
    this.found = []
    return found
  }

  #begin(key: Uint8Array, lines: readonly MatchedLine[]): void {
    const { seq, stream } = readLseq(key, 1)
    const file = formatLseq(seq, stream)
    if (this.#only?.has(file) === false) return
    const run = lseqOfKey(key)
    this.#open = lines.map(({ index, text }) => ({ file, text, run, place: index, removed: [] }))
  }

  /** Reads the tombstones from entry `i` on and returns the index behind them. */
  #bury(batch: EntryBatch, from: number): number {
    let i = from
    for (; this.#open.length > 0 && i < batch.count && isTombstoneKey(batch.key(i)); i++) {
      const lseq = lseqOfKey(batch.key(i))
      const ranges = decodeRanges(batch.value(i))
      for (const { place, removed } of this.#open) if (isIn(ranges, place)) removed.push(lseq)
    }
    return i
  }
}

function isIn(ranges: readonly number[], line: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (line < (ranges[i] as number)) return false
    if (line < (ranges[i + 1] as number)) return true
  }
  return false
}

/**
 * Which entries of a batch have the needle in their values, asked in ascending order.
 *
 * A page keeps values that end in a newline apart from those that do not, each kind in order; so the needle is looked for
 * from two places, and each finds the next hit at or behind the value asked for.
 */
class Hits {
  readonly #batch: EntryBatch
  readonly #values: Buffer
  readonly #needle: Buffer | undefined
  /** The next hit for values that end in a newline, and for others. */
  readonly #next = { text: -1, record: -1 }

  constructor(batch: EntryBatch, needle: Buffer | undefined) {
    const { values } = batch
    this.#batch = batch
    this.#values = Buffer.from(values.buffer, values.byteOffset, values.length)
    this.#needle = needle
  }

  has(i: number): boolean {
    if (this.#needle === undefined) return true
    const start = this.#batch.valueStarts[i] as number
    const end = this.#batch.valueEnds[i] as number
    if (end - start < this.#needle.length) return false
    const kind = this.#values[end - 1] === NEWLINE ? 'text' : 'record'
    if (this.#next[kind] < start) {
      const hit = this.#values.indexOf(this.#needle, start)
      this.#next[kind] = hit < 0 ? Number.POSITIVE_INFINITY : hit
    }
    return this.#next[kind] + this.#needle.length <= end
  }
}

/** Says of what was found where it is and which versions put and removed it. */
class Report {
  readonly #entries: EntryStore
  readonly #credits: Credits
  readonly #files = new Map<string, FileFacts>()

  constructor({ entries, versions }: RepositoryContext) {
    this.#entries = entries
    this.#credits = new Credits(versions)
  }

  async *tell(found: readonly Found[]): AsyncGenerator<GrepMatch> {
    if (found.length === 0) return
    const files = this.#files
    const unknown = new Set(found.map(({ file }) => file).filter((file) => !files.has(file)))
    if (unknown.size > 0) for (const [file, facts] of await factsOf(this.#entries, unknown)) files.set(file, facts)
    const lseqs = new Set<Lseq>()
    for (const { file, run, removed } of found) {
      const deleted = files.get(file)?.deleted
      for (const lseq of [run, ...removed, ...(deleted === undefined ? [] : [deleted])]) lseqs.add(lseq)
    }
    await this.#credits.find(lseqs)
    for (const { file, text, run, place, removed } of found) {
      const facts = files.get(file)
      const by = removed.length > 0 ? removed : await this.#deletion(facts)
      const removers: Credit[] = []
      for (const lseq of by) {
        const credit = await this.#credits.credit(lseq)
        if (!removers.includes(credit)) removers.push(credit)
      }
      yield {
        path: formatPath(facts?.path ?? ''),
        text,
        lseq: formatLseq(run.seq + place, run.stream),
        put: await this.#credits.credit(run),
        ...(removers.length > 0 && { removed: removers }),
      }
    }
  }

  /** What deleted a file for good: its last deletion, unless the file was put somewhere in the same version or later. */
  async #deletion(facts: FileFacts | undefined): Promise<Lseq[]> {
    if (facts?.deleted === undefined || compareLseq(facts.deleted, facts.put) < 0) return []
    const { first, stream } = await this.#credits.version(facts.deleted)
    return facts.put.stream === stream && facts.put.seq >= first ? [] : [facts.deleted]
  }
}
