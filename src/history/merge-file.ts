/**
 * One file, merged: what stands for it in the merged tree, and what could not be decided.
 *
 * Path, mode and content are merged apart from each other, each by the same rule: what only one side changed is taken.
 * @module
 */
import { compareLseq, type Lseq } from '../lseq/lseq.js'
import type { ConflictKind } from './conflict.js'
import type { FileCase, Placed, SideName } from './merge-cases.js'

/** What kind of content a merged file gets. */
export type Choice = SideName | 'text'

/** What becomes of a file; undefined for one that is gone. */
export interface Decision {
  readonly path: string
  readonly mode: number
  readonly file: Lseq
  /** A side's content as it is, or the text of both sides merged. */
  readonly content: Choice
  readonly conflicts: readonly ConflictKind[]
}

const TYPE = 0o170000
const REGULAR = 0o100000
const SYMLINK = 0o120000
const SUBMODULE = 0o160000

/** Decides what becomes of a file. */
export function decide(one: FileCase): Decision | undefined {
  const { base, left, right } = one
  if (left !== undefined && right !== undefined)
    return base === undefined ? added(left, right) : changed(one, base, left, right)
  const side: SideName = left === undefined ? 'right' : 'left'
  const there = left ?? right
  if (there === undefined) return undefined
  if (base === undefined) return { ...there, content: side, conflicts: [] }
  if (isEdited(base, there)) return { ...there, content: side, conflicts: ['edit/delete'] }
  if (base.path !== there.path) return { ...there, content: side, conflicts: ['rename/delete'] }
  return undefined
}

/** Both sides have it and the base does not. */
function added(left: Placed, right: Placed): Decision {
  // The same whichever side is merged into the other.
  const { file } = compareLseq(left.file, right.file) <= 0 ? left : right
  const same = sameContent(left, right)
  const conflicts: ConflictKind[] = []
  if (!same) conflicts.push('add/add')
  else if (left.mode !== right.mode) conflicts.push('mode')
  if (left.path !== right.path) conflicts.push('rename/rename')
  const text = !same && isText(left) && isText(right)
  return { path: left.path, mode: left.mode, file, content: text ? 'text' : 'left', conflicts }
}

/** All three have it. */
function changed({ settled }: FileCase, base: Placed, left: Placed, right: Placed): Decision {
  const conflicts: ConflictKind[] = []
  const take = <T>(of: (placed: Placed) => T, kind: ConflictKind): T => {
    const [b, l, r] = [of(base), of(left), of(right)]
    if (l === r || r === b) return l
    if (l === b) return r
    conflicts.push(kind)
    return l
  }
  const path = take((placed) => placed.path, 'rename/rename')
  const mode = take((placed) => placed.mode, 'mode')
  return {
    path,
    mode,
    file: fileOf(base, left, right),
    content: contentOf(settled, base, left, right, conflicts),
    conflicts,
  }
}

/** The identity that goes on: one that a side gave instead of the base's; of two such the older. */
function fileOf(base: Placed, left: Placed, right: Placed): Lseq {
  const isBase = ({ file }: Placed) => compareLseq(file, base.file) === 0
  if (isBase(left)) return right.file
  if (isBase(right)) return left.file
  return compareLseq(left.file, right.file) <= 0 ? left.file : right.file
}

function contentOf(settled: boolean, base: Placed, left: Placed, right: Placed, conflicts: ConflictKind[]): Choice {
  if (sameContent(left, right)) return 'left'
  if (isText(left) && isText(right) && (isText(base) || !settled)) {
    // Where there is more than one base, only the lines can say who changed something.
    if (!settled) return 'text'
    if (sameContent(left, base)) return 'right'
    return sameContent(right, base) ? 'left' : 'text'
  }
  if (settled && sameContent(left, base)) return 'right'
  if (settled && sameContent(right, base)) return 'left'
  conflicts.push(kindOf(left, right))
  return 'left'
}

function kindOf(left: Placed, right: Placed): ConflictKind {
  const types = [left.mode & TYPE, right.mode & TYPE]
  if (types[0] !== types[1]) return 'mode'
  if (types[0] === SYMLINK) return 'symlink'
  return types[0] === SUBMODULE ? 'submodule' : 'binary'
}

/** Whether a side changed the content or the mode. */
export function isEdited(base: Placed, placed: Placed): boolean {
  return !sameContent(base, placed) || base.mode !== placed.mode
}

function sameContent(a: Placed, b: Placed): boolean {
  return (
    a.chunked === b.chunked &&
    a.size === b.size &&
    (a.mode & TYPE) === (b.mode & TYPE) &&
    Buffer.compare(a.sha256, b.sha256) === 0
  )
}

/** Whether the content is merged line by line. */
export function isText({ mode, chunked }: Placed): boolean {
  return !chunked && (mode & TYPE) === REGULAR
}
