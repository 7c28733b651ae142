/**
 * `git import --check`: proof from what is stored that every imported commit can be written again with its own id.
 *
 * Every content is rebuilt and given the id git has for it, every version's tree is put together from those, and the
 * commit object from tree, parents and header; the SHA of that must be the commit's id.
 * @module
 */
import { fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { extraOf } from '../history/extra.js'
import { Findings } from '../history/findings.js'
import { Graph } from '../history/graph.js'
import type { Version } from '../history/header.js'
import { kindRange } from '../history/keys.js'
import { decodeNote, NO_NOTE, type Note } from '../history/note.js'
import { decodePathEntry, type PathPut } from '../history/path-entry.js'
import type { Leaf, Tree } from '../history/tree.js'
import {
  type ContentVisitor,
  LineContents,
  type PathWrite,
  type PathWrites,
  readPathWrites,
  visitChunked,
  walkTrees,
} from '../history/verify-contents.js'
import { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { formatLseq, lseqOfKey } from '../lseq/lseq.js'
import { decodeRest, formatCommit, GIT_EXTRA, type OddTree } from './commit.js'
import { gitObjectId } from './object-id.js'
import { emptyTreeId, type GitLeaf, type TreeIds, treeId } from './tree-id.js'

const SUBMODULE = 0o160000

/**
 * Recomputes the id of every imported commit.
 *
 * @returns How many were recomputed.
 * @throws {CodedError} `TREE_MISMATCH` for the first that comes out different.
 */
export async function checkCommits(
  entries: EntryStore,
  progress: (phase: string, done: number, total: number) => void,
): Promise<number> {
  const graph = new Graph()
  const notes = await allNotes(entries)
  const commits: (Imported | undefined)[] = []
  for await (const version of new Versions(entries, graph.streams).all()) {
    graph.add(version)
    const id = extraOf(version, GIT_EXTRA)
    const note = notes.get(formatLseq(version.last, version.stream)) ?? NO_NOTE
    commits.push(id && { version, note, id })
  }
  const sample = commits.find((commit) => commit !== undefined)
  if (sample === undefined) return 0
  const hashLength = sample.id.length
  const writes = await readPathWrites(entries, graph, new Findings())
  const oids = await blobIds(entries, graph, writes, hashLength)
  return new CommitCheck(commits, hashLength, oids).run(graph, writes, progress)
}

/** Git id of the content that each path write put. */
async function blobIds(
  entries: EntryStore,
  graph: Graph,
  writes: PathWrites,
  hashLength: number,
): Promise<Map<string, string>> {
  const findings = new Findings()
  const oids = new Map<string, string>()
  let last = ''
  const visit: ContentVisitor = (write, put, content, same) => {
    // The content of a submodule link is the id of the commit it names.
    if ((put.mode & 0o170000) === SUBMODULE) last = toLatin1(Buffer.from(toLatin1(content), 'hex'))
    else if (same !== undefined) last = gitObjectId('blob', content, hashLength)
    oids.set(nameOf(write), last)
  }
  const contents = new LineContents(graph, writes, findings, visit)
  for await (const batch of findings.scan(entries, 'L')) contents.take(batch)
  contents.finish()
  await visitChunked(entries, graph, writes, findings, visit)
  const [damage] = findings.damage
  if (damage !== undefined) throw new CodedError('CONTENT_DAMAGED', damage.detail, { hint: 'Run `weft verify`.' })
  return oids
}

function nameOf({ number, path }: PathWrite): string {
  return `${number}:${path}`
}

/** A version that was made from a commit, and the commit's id. */
interface Imported {
  readonly version: Version
  readonly note: Note
  readonly id: Uint8Array
}

/** The notes of all versions, by the lseq of the version. */
async function allNotes(entries: EntryStore): Promise<Map<string, Note>> {
  const notes = new Map<string, Note>()
  for await (const batch of entries.scan(kindRange('N'))) {
    for (let i = 0; i < batch.count; i++) {
      const { seq, stream } = lseqOfKey(batch.key(i))
      notes.set(formatLseq(seq, stream), decodeNote(batch.value(i)))
    }
  }
  return notes
}

/** One pass over all versions. */
class CommitCheck {
  readonly #commits: readonly (Imported | undefined)[]
  readonly #hashLength: number
  readonly #oids: ReadonlyMap<string, string>
  readonly #ids: TreeIds = new WeakMap()
  /** Git trees of leaves, made from the versions' trees, which know no git ids. */
  readonly #gitTrees = new WeakMap<Tree<Leaf>, Tree<GitLeaf>>()
  readonly #leaves = new WeakMap<Leaf, GitLeaf>()

  constructor(commits: readonly (Imported | undefined)[], hashLength: number, oids: ReadonlyMap<string, string>) {
    this.#commits = commits
    this.#hashLength = hashLength
    this.#oids = oids
  }

  run(graph: Graph, writes: PathWrites, progress: (phase: string, done: number, total: number) => void): number {
    let checked = 0
    for (const { number, tree } of walkTrees(graph, writes)) {
      const commit = this.#commits[number - 1]
      if (commit === undefined) continue
      const { trees, ...rest } = decodeRest(commit.id, extraOf(commit.note, GIT_EXTRA))
      const { author, committer } = commit.version
      const { message } = commit.note
      const parents = graph.node(number).parents.map((parent) => toHex((this.#commits[parent - 1] as Imported).id))
      const id = toHex(fromLatin1(this.#rootId(tree, trees)))
      const object = formatCommit({ tree: id, parents, author, committer, message, rest })
      const wanted = toHex(rest.id)
      const found = toHex(fromLatin1(gitObjectId('commit', object, this.#hashLength)))
      const wholeTree = rest.whole === undefined ? undefined : /^tree ([0-9a-f]+)/.exec(toLatin1(rest.whole))?.[1]
      if (found !== wanted || (wholeTree !== undefined && wholeTree !== id)) {
        throw new CodedError('TREE_MISMATCH', `The git commit ${wanted} comes out as ${found}.`, {
          hint: 'This is a fault of weft: please report it, with the repository where you can.',
        })
      }
      checked++
      if (checked % 256 === 0) progress('check', checked, graph.size)
    }
    return checked
  }

  #rootId(tree: Tree<Leaf>, odd: readonly OddTree[]): string {
    const raw = new Map(odd.map(({ path, bytes }) => [path, bytes]))
    return this.#idWith(this.#toGit(tree, ''), '', raw) || emptyTreeId(this.#hashLength)
  }

  /**
   * Id of the directory at `path`. Raw directories belong to one version, while directories that did not change are
   * shared between versions: so only ids of directories without raw ones below are remembered.
   */
  #idWith(dir: Tree<GitLeaf>, path: string, raw: ReadonlyMap<string, Uint8Array>): string {
    const own = raw.get(path)
    if (own !== undefined) return gitObjectId('tree', own, this.#hashLength)
    const prefix = path === '' ? '' : `${path}/`
    if (![...raw.keys()].some((other) => other.startsWith(prefix))) return treeId(dir, this.#ids, this.#hashLength)
    const ids: TreeIds = new WeakMap()
    dir.dirs.forEach((child, i) => {
      ids.set(child, this.#idWith(child, `${prefix}${dir.dirNames[i]}`, raw))
    })
    return treeId(dir, ids, this.#hashLength)
  }

  #toGit(tree: Tree<Leaf>, prefix: string): Tree<GitLeaf> {
    const known = this.#gitTrees.get(tree)
    if (known !== undefined) return known
    const made: Tree<GitLeaf> = {
      fileNames: tree.fileNames,
      files: tree.files.map((leaf, i) => this.#leaf(leaf, prefix + tree.fileNames[i])),
      dirNames: tree.dirNames,
      dirs: tree.dirs.map((dir, i) => this.#toGit(dir, `${prefix}${tree.dirNames[i]}/`)),
    }
    this.#gitTrees.set(tree, made)
    return made
  }

  #leaf(leaf: Leaf, path: string): GitLeaf {
    let made = this.#leaves.get(leaf)
    if (made === undefined) {
      const put = leaf.value === undefined ? undefined : (decodePathEntry(fromLatin1(leaf.value)) as PathPut)
      made = { ...leaf, mode: put?.mode ?? 0, oid: this.#oids.get(`${leaf.touch}:${path}`) ?? '' }
      this.#leaves.set(leaf, made)
    }
    return made
  }
}
