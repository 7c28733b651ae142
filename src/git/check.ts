/**
 * `git import --check`: proof from what is stored that every imported commit can be written again with its own id.
 *
 * Every content is rebuilt and given the id git has for it, every version's tree is put together from those, and the
 * commit object from tree, parents and header; the SHA of that must be the commit's id.
 * @module
 */
import { fromLatin1, toHex, toLatin1 } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { extraOf, GIT_EXTRA } from '../history/extra.js'
import { Findings } from '../history/findings.js'
import { Graph } from '../history/graph.js'
import type { Version } from '../history/header.js'
import {
  type ContentVisitor,
  LineContents,
  type PathWrites,
  readPathWrites,
  visitChunked,
  walkTrees,
} from '../history/verify-contents.js'
import { Versions } from '../history/versions.js'
import type { EntryStore } from '../lseq/entries.js'
import { gitParents } from './born.js'
import { gitObjectId } from './object-id.js'
import { CommitRebuilder, leafName } from './rebuild.js'
import { hashLengthOf, readNotes } from './stored.js'

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
  const versions: Version[] = []
  for await (const version of new Versions(entries, graph.streams).all()) {
    graph.add(version)
    versions.push(version)
  }
  const hashLength = hashLengthOf(versions)
  if (hashLength === undefined) return 0
  const notes = await readNotes(entries, versions)
  const writes = await readPathWrites(entries, graph, new Findings())
  const oids = await blobIds(entries, graph, writes, hashLength)
  const rebuilder = new CommitRebuilder(hashLength, oids)
  const ids: string[] = []
  let checked = 0
  for (const { number, tree } of walkTrees(graph, writes)) {
    const version = versions[number - 1] as Version
    // Versions of refs have no tree.
    if (version.tree === undefined) continue
    const note = notes(version)
    const parents = gitParents(graph.node(number).parents, note).map((parent) => ids[parent - 1] as string)
    ids[number - 1] = toHex(fromLatin1(rebuilder.commit(version, note, tree, parents).id))
    if (extraOf(version, GIT_EXTRA) !== undefined) checked++
    if (number % 256 === 0) progress('check', number, graph.size)
  }
  return checked
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
    oids.set(leafName(write.number, write.path), last)
  }
  const contents = new LineContents(graph, writes, findings, visit)
  for await (const batch of findings.scan(entries, 'L')) contents.take(batch)
  contents.finish()
  await visitChunked(entries, graph, writes, findings, visit)
  // Where lines say they are from is for `verify`, which knows the sources of picked ones.
  const damage = findings.damage.find(({ kind }) => kind !== 'origin')
  if (damage !== undefined) throw new CodedError('CONTENT_DAMAGED', damage.detail, { hint: 'Run `weft verify`.' })
  return oids
}
