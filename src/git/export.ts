/**
 * `weft git export`: versions into a git repository, new or not.
 *
 *     target.ts        the repository is opened, or made; what is neither empty nor one is refused
 *     export-refs.ts   which branches and tags may be set
 *     export-plan.ts   which versions git lacks, and which contents their trees need
 *     export-blobs.ts  contents, file by file       \
 *     rebuild.ts       trees and commits             >  pack.ts: one pack, which git checks and takes in whole
 *     born.ts          commits of versions made here /
 *     exported.ts      notes which commits those are
 *     export-finish.ts files of the branch that is checked out, and at the very end the refs
 *
 * Imported commits come out as they came in: their ids are recomputed, and nothing is written where one differs. The pack
 * is in git whole or not at all and refs are set last, so an export that is cut off is begun again and completes.
 * @module
 */
import { fromLatin1, toHex } from '../base/bytes.js'
import { CodedError } from '../base/error.js'
import { extraOf } from '../history/extra.js'
import type { Version } from '../history/header.js'
import { readRefs } from '../history/refs.js'
import { walkTrees } from '../history/verify-contents.js'
import type { Entry } from '../lseq/batch.js'
import type { Repository } from '../repo/repository.js'
import type { ExportReport, Progress, Refusal } from '../repo/results.js'
import { GIT_EXTRA } from './commit.js'
import { writeBlobs } from './export-blobs.js'
import { finishExport, type RefUpdate } from './export-finish.js'
import { type ExportPlan, planExport } from './export-plan.js'
import { chooseRefs, type ExportRef, refusal, refusalOf, shown } from './export-refs.js'
import { exportedEntry } from './exported.js'
import { binary } from './history.js'
import { gitObjectId } from './object-id.js'
import { type ObjectType, PackWriter } from './pack.js'
import { runGit } from './process.js'
import { CommitRebuilder, mismatch } from './rebuild.js'
import { StoredCommits } from './stored.js'
import { openTarget, reachedCommits, type Target } from './target.js'
import { isDirectory, parseTree } from './tree-id.js'
import { TreeSink } from './tree-sink.js'

/** What to export, and where to. */
export interface ExportOptions {
  readonly repository: Repository
  /** A git repository, or a directory that is to become one. */
  readonly target: string
  /** Make a repository without work tree, where one is made. */
  readonly bare?: boolean | undefined
  readonly progress?: Progress | undefined
}

/**
 * Brings a git repository up to date with what branches and tags reach here.
 *
 * @throws {CodedError} `DIR_*`, `DISK_*`, `GIT_*` for an unfit target; `TREE_MISMATCH`, `CONTENT_DAMAGED` where what is
 *   stored does not give what was imported. Single branches and tags that cannot be set are in the report.
 */
export async function exportGit(options: ExportOptions): Promise<ExportReport> {
  const started = performance.now()
  const { repository } = options
  const progress = options.progress ?? (() => undefined)
  const stored = await StoredCommits.load(repository.entries)
  const target = await openTarget(options.target, { bare: options.bare === true, hashLength: stored.hashLength })
  await stored.loadExported(target.hashLength)
  const { chosen, refused } = chooseRefs(await readRefs(repository.entries), target.refs)
  const able = chosen.filter((ref) => {
    const problem = ref.isBranch ? notForward(stored, target, ref) : undefined
    if (problem !== undefined) refused.push(problem)
    return problem === undefined
  })
  const have = new Set((await reachedCommits(target)).map(binary))
  const plan = await planExport(stored, able, have, target)
  using pack = new PackWriter(target.packs)
  const writing = new Writing(stored, target, plan, pack, progress)
  const noted = await writing.commits()
  const updates: RefUpdate[] = []
  for (const ref of able) {
    const outcome = await writing.update(ref)
    if (outcome === undefined) continue
    if ('code' in outcome) refused.push(outcome)
    else updates.push(outcome)
  }
  const { objects, bytes } = pack
  await pack.handOver(target.gitDir, target.hashLength, (done, total) => progress('git', done, total))
  if (noted.length > 0) {
    await repository.entries.put(noted)
    await repository.entries.foldIfNeeded()
  }
  const finished = await finishExport(target, updates, {
    head: (await repository.head()).branch,
    root: repository.root,
  })
  return {
    versions: plan.reached,
    commits: plan.wanted.length,
    objects,
    refs: finished.refs,
    bytes: objects === 0 ? 0 : bytes,
    seconds: (performance.now() - started) / 1000,
    refused: [...refused, ...finished.refused],
  }
}

/** Why a branch of the target must not be set to what it is here; undefined where it may. */
function notForward(stored: StoredCommits, target: Target, { name, ref }: ExportRef): Refusal | undefined {
  const there = target.refs.get(name)?.id
  const { version } = ref.value
  if (there === undefined || version === undefined) return undefined
  const number = stored.numberOf(version)
  const known = stored.byCommit.get(binary(there))
  if (known !== undefined && stored.reaches(number, known)) return undefined
  // It may be a commit that another replica made of a version: that is known when all of them have been made.
  if (known === undefined && stored.hasUnnamed(number)) return undefined
  const what = shown(name)
  if (known !== undefined) {
    return refusal(
      name,
      'GIT_NOT_FORWARD',
      `In git, ${what} is at ${there.slice(0, 12)}, which is not in its past here.`,
      {
        hint: 'An export only takes branches forward: import, or set the branch in git by hand.',
      },
    )
  }
  return refusal(name, 'GIT_NOT_FORWARD', `In git, ${what} has moved on to ${there.slice(0, 12)}, which is not here.`, {
    hint: '`weft git import` brings it in; then merge where both sides went on, and export again.',
  })
}

/** Objects on their way into the pack. */
class Writing {
  readonly #stored: StoredCommits
  readonly #target: Target
  readonly #plan: ExportPlan
  readonly #pack: PackWriter
  readonly #progress: Progress

  constructor(stored: StoredCommits, target: Target, plan: ExportPlan, pack: PackWriter, progress: Progress) {
    this.#stored = stored
    this.#target = target
    this.#plan = plan
    this.#pack = pack
    this.#progress = progress
  }

  /** Writes what git lacks. Returns the notes of commits that were made of versions born here. */
  async commits(): Promise<Entry[]> {
    const { wanted, oids, known } = this.#plan
    if (wanted.length === 0) return []
    const { entries, graph } = this.#stored
    let contents = 0
    for (const list of this.#plan.contents.values()) contents += list.length
    await writeBlobs(
      {
        entries,
        graph,
        hashLength: this.#target.hashLength,
        pack: this.#pack,
        known,
        isProven: (number) => extraOf(this.#stored.version(number), GIT_EXTRA) !== undefined,
        progress: (done) => this.#progress('contents', done, contents),
      },
      this.#plan.contents,
      this.#plan.writes.byFile.size,
      oids,
    )
    return this.#trees()
  }

  #trees(): Entry[] {
    const { wanted, boundary, oids, known, writes, notes } = this.#plan
    const stored = this.#stored
    const rebuilder = new CommitRebuilder(this.#target.hashLength, oids)
    const sink = new TreeSink(this.#pack, known)
    const isWanted = new Set(wanted)
    const noted: Entry[] = []
    let done = 0
    for (const { number, tree } of walkTrees(stored.graph, writes)) {
      const isNew = isWanted.has(number)
      if (!isNew && !boundary.has(number)) continue
      const version = stored.version(number)
      const note = notes(version)
      const parents = stored.gitParents(number).map((parent) => toHex(fromLatin1(stored.commitOf(parent))))
      const { id, bytes } = rebuilder.commit(version, note, tree, parents, isNew ? sink : undefined)
      if (!isNew) {
        // What git has of this commit is what stands here: so the ids it lists may be built on.
        if (id !== stored.commitOf(number)) throw mismatch(hexOf(stored.commitOf(number)), hexOf(id))
        continue
      }
      this.#pack.add('commit', id, bytes)
      if (stored.name(number, id)) noted.push(exportedEntry(fromLatin1(id), lseqOf(version)))
      if (++done % 256 === 0) this.#progress('commits', done, wanted.length)
    }
    return noted
  }

  /** What is to be done with a ref, once all commits are known; undefined for nothing. */
  async update({ name, isBranch, ref }: ExportRef): Promise<RefUpdate | Refusal | undefined> {
    const { version, gitTags = [], gitObject } = ref.value
    const there = this.#target.refs.get(name)?.id
    if (isBranch) {
      const problem = notForward(this.#stored, this.#target, { name, isBranch, ref })
      if (problem !== undefined) return problem
    }
    try {
      if (gitObject !== undefined) await this.#object(gitObject)
    } catch (error) {
      if (error instanceof CodedError && error.code === 'GIT_OBJECT_MISSING') return refusalOf(name, error)
      throw error
    }
    const ids = gitTags.map((tag) => this.#add('tag', tag))
    const id = ids[0] ?? (version === undefined ? this.#idOf(gitObject) : this.#commitAt(version))
    const hex = hexOf(id)
    if (there === hex) return undefined
    if (!isBranch && there !== undefined) {
      return refusal(name, 'GIT_TAG_DIFFERS', `In git, ${shown(name)} names another object, ${there.slice(0, 12)}.`, {
        hint: 'A tag is set once: delete one of the two.',
      })
    }
    return { name, from: there, to: hex }
  }

  #commitAt(version: { seq: number; stream: number }): string {
    return this.#stored.commitOf(this.#stored.numberOf(version))
  }

  #idOf(object: { type: string; content: Uint8Array } | undefined): string {
    if (object === undefined) throw new CodedError('BAD_RECORD', 'A branch or tag names nothing.')
    return gitObjectId(object.type, object.content, this.#target.hashLength)
  }

  #add(type: ObjectType, bytes: Uint8Array): string {
    const id = gitObjectId(type, bytes, this.#target.hashLength)
    this.#pack.add(type, id, bytes)
    return id
  }

  /**
   * Adds the object that a tag names.
   *
   * @throws {CodedError} `GIT_OBJECT_MISSING` for a tree of which more is needed than was imported.
   */
  async #object({ type, content }: { type: string; content: Uint8Array }): Promise<void> {
    if (type === 'tree') {
      const needed = (parseTree(content, this.#target.hashLength) ?? []).filter(({ mode }) => !isLink(mode))
      const missing = await this.#missing(needed.map(({ id }) => id))
      if (missing !== undefined) {
        throw new CodedError(
          'GIT_OBJECT_MISSING',
          `A tag names a tree that holds ${missing}, which is in no version.`,
          {
            hint: 'Only the tree itself was imported: fetch the tag from where it came from.',
          },
        )
      }
    }
    this.#add(type as ObjectType, content)
  }

  /** The first of these objects, hex, that is neither in the pack nor in the target. */
  async #missing(ids: readonly string[]): Promise<string | undefined> {
    const rest = ids.filter((id) => !this.#pack.has(id) && !this.#plan.known.has(id)).map(hexOf)
    if (rest.length === 0) return undefined
    const answers = (
      await runGit(this.#target.gitDir, ['cat-file', '--batch-check'], `${rest.join('\n')}\n`)
    ).toString()
    return /^([0-9a-f]+) missing$/m.exec(answers)?.[1]
  }
}

function isLink(mode: string): boolean {
  const bits = Number.parseInt(mode, 8)
  return !isDirectory(bits) && (bits & 0o170000) === 0o160000
}

function lseqOf({ last, stream }: Version): { seq: number; stream: number } {
  return { seq: last, stream }
}

function hexOf(id: string): string {
  return toHex(fromLatin1(id))
}
