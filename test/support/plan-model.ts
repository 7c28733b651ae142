/**
 * Little histories for the planner: commits as lists of files, planned as an import does, and held to what a plan
 * promises.
 *
 * A content is any text; it stands for itself, so git's id of it is the text. The difference to the first parent is
 * worked out here as git does with `-M`: a file that is gone and a new one with the same content are a rename, and so is
 * what a commit declares to be one.
 * @module
 */
import assert from 'node:assert/strict'
import type { DiffRow } from '../../src/git/history.js'
import { type FileNode, type PlannedFile, type PlannedVersion, Planner } from '../../src/git/plan.js'
import { getPath, listTree } from '../../src/history/tree.js'

/** Path -> content. A content that begins with `x` is executable. */
export type Files = Readonly<Record<string, string>>

/** A commit of the model. */
export interface ModelCommit {
  readonly name: string
  readonly number: number
  readonly parents: readonly ModelCommit[]
  readonly files: Files
  readonly planned: PlannedVersion
  /** Itself and all it stands on. */
  readonly past: ReadonlySet<number>
}

export class PlanHistory {
  readonly commits: ModelCommit[] = []
  readonly #planner: Planner
  readonly tips = new Map<number, number>()
  #slots = 0

  constructor() {
    const begin = (): number => this.#slots++
    this.#planner = new Planner((number) => this.at(number).planned, { tips: this.tips, begin })
  }

  /** Streams begun so far. */
  get streams(): number {
    return this.#slots
  }

  at(number: number): ModelCommit {
    const commit = this.commits[number - 1]
    assert.ok(commit !== undefined, `there is no commit ${number}`)
    return commit
  }

  get(name: string): ModelCommit {
    const commit = this.commits.findLast((each) => each.name === name)
    assert.ok(commit !== undefined, `there is no commit ${name}`)
    return commit
  }

  /**
   * Plans one commit and checks everything.
   *
   * @param parents - Names, first parent first, with spaces between.
   * @param renames - To -> from, for renames with an edit.
   */
  commit(name: string, parents: string, files: Files, renames: Files = {}): ModelCommit {
    const names = parents.split(' ').filter(Boolean)
    return this.add(
      name,
      names.map((each) => this.get(each)),
      files,
      renames,
    )
  }

  add(name: string, parents: readonly ModelCommit[], files: Files, renames: Files = {}): ModelCommit {
    const number = this.commits.length + 1
    const rows = difference(parents[0]?.files ?? {}, files, renames)
    const known = parents.map((parent) => ({ number: parent.number, tree: parent.planned.tree }))
    const tipsBefore = new Map(this.tips)
    const planned = this.#planner.plan(number, known, rows)
    const past = new Set([...parents.flatMap((parent) => [...parent.past]), number])
    const commit = { name, number, parents, files, planned, past }
    this.commits.push(commit)
    this.#checkStream(commit, tipsBefore)
    this.#checkTree(commit)
    this.#checkTouches(commit)
    this.#checkFiles(commit)
    return commit
  }

  /** Corrects the commit planned last. Modes may be others than contents say. */
  amend(rows: readonly DiffRow[], files: Files, modes: Readonly<Record<string, number>> = {}): ModelCommit {
    const last = this.commits.pop() as ModelCommit
    const commit = { ...last, files, planned: this.#planner.amend(last.planned, rows) }
    this.commits.push(commit)
    this.#checkTree(commit, modes)
    this.#checkTouches(commit)
    this.#checkFiles(commit)
    return commit
  }

  /** The file at a path, by which renames are followed. */
  file(commit: ModelCommit, path: string): PlannedFile | undefined {
    const leaf = getPath(commit.planned.tree, path)
    return leaf?.value === undefined ? undefined : leaf.file
  }

  /** A version goes on with a stream whose tip it stands on, and covers its past and nothing else. */
  #checkStream({ name, planned, past, number }: ModelCommit, tips: ReadonlyMap<number, number>): void {
    assert.equal(planned.prev, tips.get(planned.slot) ?? 0, `${name} follows the tip of its stream`)
    assert.ok(planned.prev === 0 || past.has(planned.prev), `${name} stands on the tip of its stream`)
    assert.equal(this.tips.get(planned.slot), number)
    for (const other of this.commits) {
      const covered = planned.vector.covers(other.planned.slot, other.number)
      assert.equal(covered, past.has(other.number), `${name} and ${other.name}`)
    }
  }

  /** The tree is git's. */
  #checkTree({ name, planned, files }: ModelCommit, modes: Readonly<Record<string, number>> = {}): void {
    const found = [...listTree(planned.tree)].map(([path, { mode, oid }]) => [path, oid, mode])
    const expected = Object.entries(files).map(([path, content]) => [path, content, modes[path] ?? modeOf(content)])
    assert.deepEqual(found.sort(byPath), expected.sort(byPath), `tree of ${name}`)
    assert.deepEqual(
      planned.writes.map(({ path }) => path),
      [...new Set(planned.writes.map(({ path }) => path))].sort(),
      'writes are in order, one per path',
    )
  }

  /** At every path the last touch is of a version that stands on all other touches, and it is what the tree has. */
  #checkTouches({ name, planned, past }: ModelCommit): void {
    const touches = new Map<string, number[]>()
    for (const number of [...past].sort((a, b) => a - b)) {
      for (const { path } of this.at(number).planned.writes) {
        touches.set(path, [...(touches.get(path) ?? []), number])
      }
    }
    for (const [path, numbers] of touches) {
      const leaf = getPath(planned.tree, path)
      assert.equal(leaf?.touch, numbers.at(-1), `${name}: the last touch of ${path}`)
      const known = this.at(numbers.at(-1) as number).past
      for (const number of numbers) {
        assert.ok(known.has(number), `${name}: the last touch of ${path} does not know of ${this.at(number).name}`)
      }
    }
  }

  /** A file is at one path, and the node there has grown out of all that was ever done to the file. */
  #checkFiles({ name, planned, past, number }: ModelCommit): void {
    const places = new Map<PlannedFile, string>()
    for (const [path, { file, node }] of listTree(planned.tree)) {
      assert.ok(node !== undefined && file.nodes.includes(node))
      assert.equal(places.get(file), undefined, `${name}: the file at ${path} is at another path too`)
      places.set(file, path)
      for (const other of file.nodes.filter(({ version }) => past.has(version))) {
        const known = this.at(node.version).past.has(other.version)
        assert.ok(known, `${name}: ${path} does not know what ${this.at(other.version).name} made of its file`)
      }
      if (node.version === number) this.#checkParents(name, path, file, node, past)
    }
  }

  /** A node's parents are the last states of its file: none stands on another, and together they stand on all. */
  #checkParents(name: string, path: string, file: PlannedFile, node: FileNode, past: ReadonlySet<number>): void {
    const before = file.nodes.filter(({ version }) => version !== node.version && past.has(version))
    const covered = (other: FileNode): boolean =>
      node.parents.some((parent) => this.at(parent.version).past.has(other.version))
    assert.ok(before.every(covered), `${name}: ${path} has grown out of too little`)
    for (const parent of node.parents) {
      assert.ok(before.includes(parent), `${name}: ${path} has grown out of what is not its past`)
      const others = node.parents.filter((other) => other !== parent)
      assert.ok(!others.some((other) => this.at(other.version).past.has(parent.version)), `${name}: ${path}`)
    }
  }
}

function byPath([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return (a as string) < (b as string) ? -1 : 1
}

/** A content's mode, by its first letter. */
export function modeOf(content: string): number {
  return content.startsWith('x') ? 0o100755 : 0o100644
}

/** What `git diff-tree -M` says. */
function difference(before: Files, after: Files, renames: Files): DiffRow[] {
  const gone = new Set(Object.keys(before).filter((path) => !(path in after)))
  const rows: DiffRow[] = []
  for (const [path, content] of Object.entries(after)) {
    if (before[path] === content) continue
    const sameContent = [...gone].find((old) => before[old] === content)
    const from = path in before ? undefined : (renames[path] ?? sameContent)
    if (from !== undefined) gone.delete(from)
    rows.push({ path, from, mode: modeOf(content), oid: content })
  }
  for (const path of gone) rows.push({ path, from: undefined, mode: 0, oid: '' })
  return rows.sort((a, b) => (a.path < b.path ? -1 : 1))
}
