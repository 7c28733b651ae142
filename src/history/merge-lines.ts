/**
 * Text files that both sides changed: their lines merged, their regions told, who had a part in each.
 *
 * In two steps, because the markers name versions, and all versions of a merge are looked up in one pass: `mergeText` merges
 * the lines and says which lseqs matter, `FileMerge.finish` writes the text.
 * @module
 */
import { decodeUtf8, encodeUtf8, toHex, toLatin1 } from '../base/bytes.js'
import { type MarkedText, type MarkerLabels, markedText, textOfLines } from '../lines/markers.js'
import { type Part, type PartKind, size } from '../lines/merge.js'
import { mergeLines } from '../lines/moves.js'
import {
  deletersOf,
  type Version as LinesOf,
  lseqOfLine,
  NONE,
  type ThreeWay,
  threeFromTexts,
  threeFromWeave,
} from '../lines/three-way.js'
import { contentAt, type Weave, WeaveBuilder } from '../lines/weave.js'
import type { EntryStore } from '../lseq/entries.js'
import { compareLseq, formatLseq, type Lseq } from '../lseq/lseq.js'
import type { Streams, Vector } from '../lseq/vector.js'
import type { Contributor, Region, RegionLines } from './conflict.js'
import type { Version } from './header.js'
import type { Holders } from './holders.js'
import { linesPrefix, prefixRange } from './keys.js'
import type { FileCase, SideName } from './merge-cases.js'

/** Changes of both sides with no more than this many lines between them are worth a look. */
export const NEAR_LINES = 3

/** Contributors that a marker names. */
const NAMED = 3

/** What merging lines stands on. */
export interface LinesContext {
  readonly entries: EntryStore
  readonly streams: Streams
  readonly base: Vector
  /** Whether the base is what both sides have in common; otherwise it is the state `base`. */
  readonly isCommon: boolean
  readonly left: Vector
  readonly right: Vector
}

/** How the sides are called in markers. */
export interface SideNames {
  readonly left: string
  readonly right: string
}

/** Lines that correspond, and the lseqs under which a side put or deleted some of them. */
interface RegionDraft extends Pick<Part, 'base' | 'left' | 'right'> {
  readonly by: Readonly<Record<SideName, readonly Lseq[]>>
}

/** The merged text of a file, and its regions. */
export interface FinishedText extends MarkedText {
  readonly conflicts: readonly Region[]
  readonly near: readonly Region[]
}

/** Merges the text of a file. */
export async function mergeText(context: LinesContext, { base, left, right }: FileCase): Promise<FileMerge> {
  if (left === undefined || right === undefined) throw new TypeError('mergeText: expected both sides, got one')
  const isOne =
    compareLseq(left.file, right.file) === 0 && (base === undefined || compareLseq(base.file, left.file) === 0)
  if (isOne) {
    const weave = await readWeave(context, left.file)
    const from = context.isCommon ? undefined : context.base
    return new FileMerge(context, threeFromWeave(weave, context.left, context.right, from), weave)
  }
  const text = async (file: Lseq, vector: Vector) => contentAt(await readWeave(context, file), vector)
  const bases = base === undefined ? NOTHING : await text(base.file, context.base)
  const sides = [await text(left.file, context.left), await text(right.file, context.right)] as const
  return new FileMerge(context, threeFromTexts(bases, ...sides), undefined)
}

const NOTHING = new Uint8Array(0)

/** All lines that a file ever had. */
export async function readWeave({ entries, streams }: LinesContext, file: Lseq): Promise<Weave> {
  const prefix = linesPrefix(file)
  const builder = new WeaveBuilder(streams)
  for await (const batch of entries.scan(prefixRange(prefix))) {
    for (let i = 0; i < batch.count; i++) builder.push(batch.key(i).subarray(prefix.length), batch.value(i))
  }
  return builder.finish()
}

/** A file whose lines are merged and whose text is not written yet. */
export class FileMerge {
  readonly #context: LinesContext
  readonly #three: ThreeWay
  readonly #weave: Weave | undefined
  readonly #parts: readonly Part[]
  readonly #conflicts: readonly RegionDraft[]
  readonly #near: readonly RegionDraft[]

  constructor(context: LinesContext, three: ThreeWay, weave: Weave | undefined) {
    this.#context = context
    const merged = mergeLines(three)
    this.#three = merged.three
    this.#weave = weave
    this.#parts = merged.parts
    this.#conflicts = this.#parts.filter(({ kind }) => kind === 'conflict').map((part) => this.#draft(part))
    this.#near = nearParts(this.#parts).map((part) => this.#draft(part))
  }

  /** The side whose text the merged one is; undefined where it is neither's. */
  get isOf(): SideName | undefined {
    const { left, right } = this.#three
    const has = (kind: PartKind) => this.#parts.some((part) => part.kind === kind)
    if (has('conflict')) return undefined
    // A side in which a block was moved for the merge is no longer what it was.
    if (!has('right') && left.numbers === undefined) return 'left'
    return has('left') || right.numbers !== undefined ? undefined : 'right'
  }

  get conflicts(): number {
    return this.#conflicts.length
  }

  /** Lseqs whose versions `finish` wants to know. */
  get lseqs(): Lseq[] {
    return [...this.#conflicts, ...this.#near].flatMap(({ by }) => [...by.left, ...by.right])
  }

  finish(names: SideNames, holders: Holders<Version>): FinishedText {
    const conflicts = this.#conflicts.map((draft) => this.#region(draft, holders))
    const text = markedText(
      this.#three,
      this.#parts,
      conflicts.map((region) => labels(region, names)),
    )
    return {
      ...text,
      conflicts: conflicts.map((region, i) => ({
        ...region,
        markers: text.markers[i] as MarkedText['markers'][number],
      })),
      near: this.#near.map((draft) => this.#region(draft, holders)),
    }
  }

  #draft({ base, left, right }: Pick<Part, 'base' | 'left' | 'right'>): RegionDraft {
    return {
      base,
      left,
      right,
      by: { left: this.#changers('left', base, left), right: this.#changers('right', base, right) },
    }
  }

  /** Lseqs of the lines that a side put in a region, and of the tombstones by which it deleted the base's. */
  #changers(side: SideName, base: Part['base'], own: Part['base']): Lseq[] {
    const weave = this.#weave
    if (weave === undefined) return []
    const { streams } = this.#context
    const lines = this.#three[side]
    const lseqs = new Map<string, Lseq>()
    const add = (lseq: Lseq | undefined) => lseq && lseqs.set(formatLseq(lseq.seq, lseq.stream), lseq)
    const kept = new Set<number>()
    for (let i = own.from; i < own.to; i++) {
      if (lines.inBase[i] === NONE) add(lseqOfLine(weave, streams, lines, i))
      else kept.add(lines.inBase[i] as number)
    }
    for (let i = base.from; i < base.to; i++) {
      if (!kept.has(i)) deletersOf(weave, streams, this.#three.base, i, this.#context[side]).forEach(add)
    }
    return [...lseqs.values()]
  }

  #region({ base, left, right, by }: RegionDraft, holders: Holders<Version>): Region {
    const { base: b, left: l, right: r } = this.#three
    return {
      base: this.#lines(b, base, []),
      left: this.#lines(l, left, contributors(by.left, holders)),
      right: this.#lines(r, right, contributors(by.right, holders)),
    }
  }

  #lines({ tokens, numbers }: LinesOf, span: Part['base'], by: readonly Contributor[]): RegionLines {
    return {
      first: (numbers?.[span.from] ?? span.from) + 1,
      count: size(span),
      text: textOfLines(this.#three.interner, tokens, span),
      by,
    }
  }
}

/** Stretches in which both sides changed something, cleanly, and few lines lie between. */
function nearParts(parts: readonly Part[]): Pick<Part, 'base' | 'left' | 'right'>[] {
  const found: Pick<Part, 'base' | 'left' | 'right'>[] = []
  for (let i = 2; i < parts.length; i++) {
    const [before, between, after] = parts.slice(i - 2, i + 1) as [Part, Part, Part]
    const kinds = [before.kind, between.kind, after.kind].join(' ')
    if ((kinds !== 'left shared right' && kinds !== 'right shared left') || size(between.base) > NEAR_LINES) continue
    found.push({
      base: { from: before.base.from, to: after.base.to },
      left: { from: before.left.from, to: after.left.to },
      right: { from: before.right.from, to: after.right.to },
    })
  }
  return found
}

/** The versions that hold some lseqs, oldest first. */
function contributors(lseqs: readonly Lseq[], holders: Holders<Version>): Contributor[] {
  const versions = new Map<string, Version>()
  for (const lseq of lseqs) {
    const version = holders.get(lseq)
    if (version !== undefined) versions.set(toHex(version.id), version)
  }
  return [...versions]
    .sort(([, a], [, b]) => a.last - b.last)
    .map(([version, { author }]) => ({ version, name: decodeUtf8(author.name) ?? toLatin1(author.name) }))
}

function labels({ left, right }: Region, names: SideNames): MarkerLabels {
  return { left: label(names.left, left.by), base: 'base', right: label(names.right, right.by) }
}

/** `main: 3f2a9c01b2d4 Ana, 77e0c2aa9d10 Ben`. */
function label(side: string, by: readonly Contributor[]): string {
  const named = by.slice(-NAMED).map(({ version, name }) => `${version.slice(0, 12)} ${name}`)
  const more = by.length > NAMED ? `, and ${by.length - NAMED} more` : ''
  const text = named.length === 0 ? side : `${side}: ${named.join(', ')}${more}`
  // A name may hold anything; a marker is one line.
  return toLatin1(encodeUtf8(text.replace(/\p{Cc}+/gu, ' ')))
}
