/**
 * The life of one file, woven and modelled side by side.
 *
 * `FileHistory` puts random states through the `Weaver` and turns what comes out into entries, as an import does. `lines`
 * is the oracle: every line there ever was, in order, with who put it and who deleted it. A state is the lines that a
 * covered version put and none deleted; that it takes a walk over all lines is what makes it easy to believe.
 * @module
 */
import { compareBytes, concatBytes, fromLatin1, toLatin1 } from '../../src/base/bytes.js'
import { FILE_PREFIX_BYTES, linesPrefix, tombstoneKey } from '../../src/history/keys.js'
import { encodeOrigins } from '../../src/lines/origin.js'
import { lineStarts } from '../../src/lines/split.js'
import { encodeRanges } from '../../src/lines/tombstone.js'
import { type Weave, WeaveBuilder } from '../../src/lines/weave.js'
import {
  type FileState,
  NO_STATE,
  originsOf,
  placeRun,
  Weaver,
  type Woven,
  type WovenRun,
} from '../../src/lines/weaver.js'
import type { Entry } from '../../src/lseq/batch.js'
import type { Lseq } from '../../src/lseq/lseq.js'
import { Streams, Vector } from '../../src/lseq/vector.js'

/** The file that all this is about. */
export const FILE: Lseq = { seq: 0x0102, stream: 0x4c0000 }

/** A version of the file. */
export interface ModelVersion {
  readonly number: number
  readonly parents: readonly number[]
  /** Numbers of all that it stands on, and its own. */
  readonly past: ReadonlySet<number>
  /** Binary string. */
  readonly content: string
  readonly slot: number
  /** The seqs it took. */
  readonly first: number
  readonly last: number
  readonly vector: Vector
}

/** A line that some version put. */
export interface ModelLine {
  readonly text: string
  readonly run: string
  readonly index: number
  readonly version: number
  readonly deletedBy: Set<number>
  /** What tells the line from all others, also where it was put again elsewhere. */
  readonly identity: string
}

/** One file and its versions, numbered from 1. */
export class FileHistory {
  readonly streams = new Streams()
  readonly versions: ModelVersion[] = []
  readonly lines: ModelLine[] = []
  readonly entries: Entry[] = []
  #weaver = new Weaver()
  #states = new Map<number, FileState>()
  /** By slot: number of the stream's last version. */
  readonly #tips: number[] = []
  /** Lseqs are given out when versions are made, so names of runs never change. */
  #greatest = FILE.seq

  version(number: number): ModelVersion {
    const version = this.versions[number - 1]
    if (version === undefined) throw new RangeError(`version: expected 1 to ${this.versions.length}, got ${number}`)
    return version
  }

  /** All that some versions stand on, themselves included. */
  past(numbers: readonly number[]): Set<number> {
    return new Set(numbers.flatMap((number) => [...this.version(number).past]))
  }

  /** What a version covers, or several together. */
  vector(numbers: readonly number[]): Vector {
    return numbers.reduce((vector, number) => vector.join(this.version(number).vector), Vector.empty)
  }

  /** The oracle's answer: the file where exactly the versions in `past` count. */
  contentOf(past: ReadonlySet<number>): string {
    return this.linesOf(past).join('')
  }

  /** The same, line by line. */
  linesOf(past: ReadonlySet<number>): string[] {
    return this.alive(past).map(({ text }) => text)
  }

  /** The lines themselves. */
  alive(past: ReadonlySet<number>): ModelLine[] {
    const covered = this.lines.filter(({ version }) => past.has(version))
    return covered.filter(({ deletedBy }) => ![...deletedBy].some((by) => past.has(by)))
  }

  /**
   * Adds a version that makes `content` of what its parents come to.
   *
   * @param from - Other versions that lines may come from, as when a change is picked.
   */
  add(parents: readonly number[], content: string, from: readonly number[] = []): ModelVersion {
    const number = this.versions.length + 1
    const past = this.past(parents)
    const origins = parents.length > 1 ? [...parents, ...from] : from
    const sources = origins.map((source) => this.#stateOf([source], this.version(source).past))
    const woven = this.#weaver.weave(this.#stateOf(parents, past), fromLatin1(content), number, sources)
    this.#states.set(number, woven.state)
    const slot = this.#slotFor(past)
    const stream = this.streams.id(slot)
    const first = this.#greatest + 1
    this.#greatest = this.#number(woven, first, stream)
    this.#addEntries(woven, stream)
    this.#addLines(woven)
    this.#tips[slot] = number
    const vector = this.vector(parents).with(slot, this.#greatest)
    const last = this.#greatest
    const version = { number, parents, past: past.add(number), content, slot, first, last, vector }
    this.versions.push(version)
    return version
  }

  /** Goes on with a weaver that knows only what is stored. */
  reload(): void {
    this.#weaver = new Weaver()
    this.#states = new Map()
    this.#weaver.load(
      this.weave(),
      (slot, seq) => this.holding(slot, seq),
      (slot) => this.streams.id(slot),
    )
  }

  /** The entries in key order, read back. */
  weave(): Weave {
    const builder = new WeaveBuilder(this.streams)
    for (const { key, value } of this.sorted()) builder.push(key.subarray(FILE_PREFIX_BYTES), value)
    return builder.finish()
  }

  sorted(): Entry[] {
    return this.entries.toSorted((a, b) => compareBytes(a.key, b.key))
  }

  /** Number of the version that took a seq of a stream. */
  holding(slot: number, seq: number): number {
    return this.versions.find((v) => v.slot === slot && v.first <= seq && seq <= v.last)?.number ?? 0
  }

  #stateOf(parents: readonly number[], past: ReadonlySet<number>): FileState {
    const [parent, ...others] = parents
    if (parent === undefined) return NO_STATE
    const kept = others.length === 0 ? this.#states.get(parent) : undefined
    return kept ?? this.#weaver.stateAt((version) => past.has(version))
  }

  /** A stream whose last version is known, or a new one. */
  #slotFor(past: ReadonlySet<number>): number {
    const slot = this.#tips.findIndex((tip) => past.has(tip))
    return slot >= 0 ? slot : this.streams.slot((0x35c0de * (this.#tips.length + 1)) & 0xffffff)
  }

  /** Gives out seqs and places; returns the last seq. */
  #number({ runs, tombstones, moved }: Woven, first: number, stream: number): number {
    let seq = first
    for (const run of runs) {
      run.seq = seq
      run.stream = stream
      seq += run.count
      placeRun(run)
    }
    for (const tombstone of tombstones) tombstone.seq = seq++
    for (const one of moved) one.seq = seq++
    return seq
  }

  #addEntries({ runs, tombstones, moved }: Woven, stream: number): void {
    const prefix = linesPrefix(FILE)
    for (const { position, text } of runs) {
      this.entries.push({ key: concatBytes(prefix, position as Uint8Array), value: text })
    }
    const beside = ({ position }: WovenRun, seq: number, value: Uint8Array): void => {
      this.entries.push({ key: tombstoneKey(prefix, position as Uint8Array, seq, stream), value })
    }
    for (const { run, ranges, seq } of tombstones) beside(run, seq, encodeRanges(ranges))
    for (const { run, seq } of moved) beside(run, seq, encodeOrigins(originsOf(run)))
  }

  #addLines({ runs, tombstones }: Woven): void {
    for (const run of runs) {
      const at = run.left === undefined ? 0 : this.#find(run.left.run, run.left.index) + 1
      const texts = splitLines(toLatin1(run.text))
      const { version } = run
      const origins = originsOf(run)
      const identity = (index: number): string => {
        const origin = origins.find(({ from, to }) => from <= index && index < to)
        if (origin === undefined) return `${run.stream}-${run.seq + index}`
        return `${origin.stream}-${origin.seq + index - origin.from}`
      }
      this.lines.splice(
        at,
        0,
        ...texts.map((text, index) => {
          return { text, run: nameOf(run), index, version, deletedBy: new Set<number>(), identity: identity(index) }
        }),
      )
    }
    for (const { run, ranges, version } of tombstones) {
      for (let i = 0; i < ranges.length; i += 2) {
        for (let index = ranges[i] as number; index < (ranges[i + 1] as number); index++) {
          this.lines[this.#find(run, index)]?.deletedBy.add(version)
        }
      }
    }
  }

  #find(run: WovenRun, index: number): number {
    const name = nameOf(run)
    const at = this.lines.findIndex((line) => line.run === name && line.index === index)
    if (at < 0) throw new RangeError(`there is no line ${index} of the run ${name}`)
    return at
  }
}

/** A run's lseq in words: what tells it from all others. */
function nameOf({ seq, stream }: WovenRun): string {
  return `${stream}-${seq}`
}

/** The lines of a text, newlines included. */
export function splitLines(text: string): string[] {
  const starts = lineStarts(fromLatin1(text))
  return Array.from({ length: starts.length - 1 }, (_, i) => text.slice(starts[i], starts[i + 1]))
}
