/**
 * Where merged files stand in the end.
 *
 * Two files may be wanted at one path, or one where the other wants a directory. Both are kept then: the one that the left
 * side has there, or else the directory, keeps its place, the other goes beside it, named after the side that it is from.
 * @module
 */
import { encodeUtf8, toHex, toLatin1 } from '../base/bytes.js'
import { compareLseq, type Lseq } from '../lseq/lseq.js'
import type { Conflict, ConflictKind, Region, Stage } from './conflict.js'
import type { FileCase, Placed } from './merge-cases.js'
import type { SideNames } from './merge-lines.js'
import type { MergedPath, NearMiss, TakenContent } from './merge-outcome.js'
import type { PathSides } from './merge-paths.js'

/** A file of the merged tree. */
export interface MergedFile {
  readonly case: FileCase
  readonly path: string
  readonly mode: number
  readonly file: Lseq
  readonly content: Uint8Array | TakenContent
  readonly conflicts: readonly { readonly kind: ConflictKind; readonly regions: readonly Region[] }[]
  readonly near: readonly Region[]
}

/** Puts files at paths. */
export class Places {
  readonly #paths: readonly PathSides[]
  readonly #names: SideNames
  readonly #strays: ReadonlyMap<string, string>
  readonly #files: MergedFile[] = []

  /**
   * @param paths - Those at which the sides differ; every file comes from one of them.
   * @param strays - New files whose directory was moved: where to.
   */
  constructor(paths: readonly PathSides[], names: SideNames, strays: ReadonlyMap<string, string>) {
    this.#paths = paths
    this.#names = names
    this.#strays = strays
  }

  add(file: MergedFile): void {
    this.#files.push(file)
  }

  finish(): { paths: MergedPath[]; conflicts: Conflict[]; near: NearMiss[] } {
    const places = this.#settle()
    const inOrder = [...places.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
    return {
      paths: this.#changes(places),
      conflicts: inOrder.flatMap(conflictsOf),
      near: inOrder.flatMap((file) => this.#near(file)),
    }
  }

  #near({ path, near }: MergedFile): NearMiss[] {
    const movedTo = this.#strays.get(path)
    if (near.length === 0 && movedTo === undefined) return []
    return [{ path, regions: near, ...(movedTo === undefined ? {} : { movedTo }) }]
  }

  /** Every file at a path of its own. */
  #settle(): Map<string, MergedFile> {
    const places = new Map<string, MergedFile>()
    const homeless: { file: MergedFile; kind: ConflictKind }[] = []
    // Who is there on the left comes first.
    const inOrder = this.#files.toSorted((a, b) => Number(isAtHome(b)) - Number(isAtHome(a)))
    for (const file of inOrder) {
      if (places.has(file.path)) homeless.push({ file, kind: 'two to one' })
      else places.set(file.path, file)
    }
    const directories = new Set<string>()
    for (const path of places.keys()) {
      for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) directories.add(path.slice(0, at))
    }
    for (const [path, file] of places) {
      if (!directories.has(path)) continue
      places.delete(path)
      homeless.push({ file, kind: 'file/directory' })
    }
    for (const { file, kind } of homeless) {
      const path = this.#beside(file, (name) => places.has(name) || directories.has(name))
      places.set(path, { ...file, path, conflicts: [...file.conflicts, { kind, regions: [] }] })
    }
    return places
  }

  /** A path beside that of a file, `path~side`, that is free. */
  #beside(file: MergedFile, isTaken: (path: string) => boolean): string {
    const { path } = file
    const side = isAtHome(file) ? this.#names.left : this.#names.right
    const stem = `${path}~${toLatin1(encodeUtf8(side)).replace(/[^\w.\x80-\xff-]+/g, '_')}`
    let name = stem
    for (let i = 2; isTaken(name); i++) name = `${stem}~${i}`
    return name
  }

  /** What is not as the left side has it. */
  #changes(places: ReadonlyMap<string, MergedFile>): MergedPath[] {
    const lefts = new Map(this.#paths.map(({ path, left }) => [path, left]))
    const changes: MergedPath[] = []
    for (const path of new Set([...lefts.keys(), ...places.keys()])) {
      const left = lefts.get(path)
      const file = places.get(path)
      if (file === undefined) {
        if (left !== undefined) changes.push({ path, left })
        continue
      }
      if (left !== undefined && isAsBefore(file, left)) continue
      const { mode, file: id, content } = file
      changes.push({ path, ...(left && { left }), put: { mode, file: id, content } })
    }
    return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
  }
}

function isAtHome({ path, case: { left } }: MergedFile): boolean {
  return left?.path === path
}

function isAsBefore({ mode, file, content }: MergedFile, left: Placed | MergedPath['left']): boolean {
  if (left === undefined || !('put' in content) || mode !== left.mode || compareLseq(file, left.file) !== 0)
    return false
  return content.put.chunked === left.chunked && Buffer.compare(content.put.sha256, left.sha256) === 0
}

function conflictsOf({ path, case: { base, left, right }, conflicts }: MergedFile): Conflict[] {
  return conflicts.map(({ kind, regions }) => ({
    kind,
    path,
    ...(base && { base: stageOf(base) }),
    ...(left && { left: stageOf(left) }),
    ...(right && { right: stageOf(right) }),
    regions,
  }))
}

function stageOf({ path, mode, file, size, sha256, chunked }: Placed): Stage {
  return { path, mode, file, size, sha256: toHex(sha256), chunked }
}
