/**
 * Searching every line that ever existed: which version put it, and which versions took it out.
 *
 * One pass over all runs and tombstones, in key order: a run's tombstones stand right behind it, so a match is complete
 * as soon as the next run begins. No weave is built and no version is looked at before something is found.
 * @module
 */
import { isTombstoneKey, kindRange } from '../history/keys.js'
import { decodeOrigins, holdsOrigins, type Origin } from '../lines/origin.js'
import { decodeRanges } from '../lines/tombstone.js'
import type { EntryBatch } from '../lseq/batch.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, type Lseq, lseqOfKey, readLseq } from '../lseq/lseq.js'
import { ChosenPaths } from './chosen-paths.js'
import type { RepositoryContext } from './context.js'
import { type Credit, Credits } from './credit.js'
import { type FileFacts, factsOf, filesEverAt } from './file-facts.js'
import { LinePattern, type MatchedLine } from './line-pattern.js'
import { Hits } from './needle.js'
import { formatPath } from './path-text.js'
import type { GrepMatch } from './results.js'

/** Matches whose versions are looked up together: few at first, so that the first are soon told, then more. */
const TOGETHER = { first: 512, most: 65_536 } as const

/** A line that matched. */
interface Found {
  /** Its id, `stream-seq`. */
  readonly file: string
  readonly text: string
  /** Number of the line in its run. */
  readonly place: number
  readonly lseq: Lseq
  /** The lseq with which it was put first; `lseq`, for nearly all lines. */
  first: Lseq
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
    if (search.size < together) continue
    together = Math.min(together * 2, TOGETHER.most)
    yield* report.tell(search.take())
  }
  yield* report.tell(search.finish())
}

/** Goes through line entries in key order. */
class Search {
  readonly #pattern: LinePattern
  readonly #only: ReadonlySet<string> | undefined
  /** Of files that have been read to their end. */
  #done: Found[] = []
  /** Of the file that was last seen. */
  #file: Found[] = []
  /** Of these, the ones in the run that was last seen, whose tombstones may still come. */
  #open: Found[] = []

  /** @param only - Ids of the files to search; undefined for all. */
  constructor(pattern: LinePattern, only: ReadonlySet<string> | undefined) {
    this.#pattern = pattern
    this.#only = only
  }

  /** Number of matches that can be taken. */
  get size(): number {
    return this.#done.length
  }

  /** Takes the next entries. */
  push(batch: EntryBatch): void {
    const hits = new Hits(batch, this.#pattern.needle)
    for (let i = this.#mark(batch, 0); i < batch.count; i++) {
      if (!hits.has(i) || isTombstoneKey(batch.key(i))) continue
      const lines = [...this.#pattern.matches(batch.value(i))]
      if (lines.length === 0) continue
      this.#begin(batch.key(i), lines)
      i = this.#mark(batch, i + 1) - 1
    }
  }

  /** The matches in files that have been read to their end; all lines that are one line are among them, or none. */
  take(): Found[] {
    const done = this.#done
    this.#done = []
    return done
  }

  /** All matches left: no more entries come. */
  finish(): Found[] {
    return [...this.#done, ...this.#file]
  }

  #begin(key: Uint8Array, lines: readonly MatchedLine[]): void {
    const id = readLseq(key, 1)
    const file = formatLseq(id.seq, id.stream)
    if (file !== this.#file[0]?.file) {
      for (const found of this.#file) this.#done.push(found)
      this.#file = []
    }
    if (this.#only?.has(file) === false) return
    const { seq, stream } = lseqOfKey(key)
    this.#open = lines.map(({ index, text }) => {
      const lseq = { seq: seq + index, stream }
      return { file, text, place: index, lseq, first: lseq, removed: [] }
    })
    for (const found of this.#open) this.#file.push(found)
  }

  /** Reads what is beside the last run, from entry `i` on, and returns the index behind it. */
  #mark(batch: EntryBatch, from: number): number {
    let i = from
    for (; this.#open.length > 0 && i < batch.count && isTombstoneKey(batch.key(i)); i++) {
      if (holdsOrigins(batch.value(i))) this.#trace(decodeOrigins(batch.value(i)))
      else this.#bury(decodeRanges(batch.value(i)), lseqOfKey(batch.key(i)))
    }
    if (i < batch.count) this.#open = []
    return i
  }

  #bury(ranges: readonly number[], lseq: Lseq): void {
    for (const { place, removed } of this.#open) if (isIn(ranges, place)) removed.push(lseq)
  }

  #trace(origins: readonly Origin[]): void {
    for (const { from, to, seq, stream } of origins) {
      for (const found of this.#open) {
        if (found.place >= from && found.place < to) found.first = { seq: seq + found.place - from, stream }
      }
    }
  }
}

function isIn(ranges: readonly number[], line: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (line < (ranges[i] as number)) return false
    if (line < (ranges[i + 1] as number)) return true
  }
  return false
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
    for (const { file, lseq, first, removed } of found) {
      const deleted = files.get(file)?.deleted
      for (const one of [lseq, first, ...removed, ...(deleted === undefined ? [] : [deleted])]) lseqs.add(one)
    }
    await this.#credits.find(lseqs)
    for (const places of placesOf(found).values()) yield await this.#describe(places)
  }

  /** @param places - Where one line was put, one place after the other. */
  async #describe(places: readonly [Found, ...Found[]]): Promise<GrepMatch> {
    const [{ file, text, lseq, first: known }] = places
    // Picked from a version that was never sent here: a line of the version that picked it.
    const first = this.#credits.has(known) ? known : lseq
    const facts = this.#files.get(file)
    const removers = new Set<Credit>()
    for (const { removed } of places) for (const lseq of removed) removers.add(await this.#credits.credit(lseq))
    // Who put a line again had removed it from where it was.
    for (const { lseq } of places.slice(1)) removers.delete(await this.#credits.credit(lseq))
    if (removers.size === 0) {
      for (const lseq of await this.#deletion(facts)) removers.add(await this.#credits.credit(lseq))
    }
    return {
      path: formatPath(facts?.path ?? ''),
      text,
      lseq: formatLseq(first.seq, first.stream),
      put: await this.#credits.credit(first),
      ...(removers.size > 0 && { removed: [...removers] }),
    }
  }

  /** What deleted a file for good: its last deletion, unless the file was put somewhere in the same version or later. */
  async #deletion(facts: FileFacts | undefined): Promise<Lseq[]> {
    if (facts?.deleted === undefined || compareLseq(facts.deleted, facts.put) < 0) return []
    const { first, stream } = await this.#credits.version(facts.deleted)
    return facts.put.stream === stream && facts.put.seq >= first ? [] : [facts.deleted]
  }
}

/** The matches by the line that they are, each line's places in the order in which they were put. */
function placesOf(found: readonly Found[]): Map<string, [Found, ...Found[]]> {
  const lines = new Map<string, [Found, ...Found[]]>()
  for (const one of found) {
    const name = formatLseq(one.first.seq, one.first.stream)
    const places = lines.get(name)
    if (places === undefined) lines.set(name, [one])
    else places.push(one)
  }
  for (const places of lines.values()) places.sort((a, b) => compareLseq(a.lseq, b.lseq))
  return lines
}
