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
import { equalBytes, fromLatin1, toHex } from '../base/bytes.js'
import { milliseconds } from '../base/clock.js'
import { CodedError } from '../base/error.js'
import { extraOf } from '../history/extra.js'
import type { Version } from '../history/header.js'
import { type Ref, readRefs } from '../history/refs.js'
import { walkTrees } from '../history/verify-contents.js'
import type { Entry } from '../lseq/batch.js'
import type { Lseq } from '../lseq/lseq.js'
import type { Repository } from '../repo/repository.js'
import type { ExportReport, Progress, Refusal } from '../repo/results.js'
import { bornCommit, bornTag } from './born.js'
import { CatFile } from './cat-file.js'
import { GIT_EXTRA, parseCommit } from './commit.js'
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
import { readNotes, StoredCommits } from './stored.js'
import { openTarget, reachedCommits, type Target } from './target.js'
import { isDirectory, parseTree } from './tree-id.js'
import { TreeWriter } from './tree-writer.js'

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
  const started = milliseconds()
  const { repository } = options
  const progress = options.progress ?? (() => undefined)
  const stored = await StoredCommits.load(repository.entries)
  const target = await openTarget(options.target, { bare: options.bare === true, hashLength: stored.hashLength })
  await stored.loadExported(target.hashLength)
  const { chosen, refused } = chooseRefs(await readRefs(repository.entries), target.refs)
  const made = await likelyMade(stored, target, chosen)
  const able = chosen.filter((ref) => {
    const problem = notForward(stored, target, ref, made)
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
  // Without a commit or a ref that needs them, objects are of no use to anybody.
  const { objects, bytes } = writing.written + updates.length > 0 ? pack : { objects: 0, bytes: 0 }
  if (objects > 0) await pack.handOver(target.gitDir, target.hashLength, (done, total) => progress('git', done, total))
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
    commits: writing.written,
    objects,
    refs: finished.refs,
    bytes: objects === 0 ? 0 : bytes,
    seconds: (milliseconds() - started) / 1000,
    refused: [...refused, ...finished.refused],
  }
}

/**
 * Commits at branches of the target that may well have been made of versions here by another replica: all that a commit
 * says but its tree and parents is what one of them says. Whether it is so is known when that version's commit is made.
 */
async function likelyMade(
  stored: StoredCommits,
  { gitDir, refs }: Target,
  chosen: readonly ExportRef[],
): Promise<ReadonlySet<string>> {
  const likely = new Set<string>()
  const unnamed = stored.unnamed(chosen.flatMap(({ ref }) => ref.value.version ?? []))
  const ids = chosen.flatMap(({ name, isBranch }) => (isBranch ? (refs.get(name)?.id ?? []) : []))
  const strange = [...new Set(ids)].filter((id) => !stored.byCommit.has(binary(id)))
  if (unnamed.length === 0 || strange.length === 0) return likely
  const notes = await readNotes(stored.entries, unnamed)
  const objects = new CatFile({ gitDir, isHashed: true })
  try {
    for (const id of strange) {
      const { type, bytes } = await objects.read(id)
      if (type !== 'commit') continue
      const { tree, parents } = parseCommit(fromLatin1(binary(id)), bytes)
      if (unnamed.some((one) => equalBytes(bornCommit(one, notes(one), tree, parents), bytes))) likely.add(id)
    }
  } finally {
    await objects.close()
  }
  return likely
}

/**
 * Why a branch of the target must not be set to what it is here; undefined where it may, and for tags.
 *
 * @param likely - Hex ids of commits that may turn out to be known.
 */
function notForward(
  stored: StoredCommits,
  target: Target,
  { name, isBranch, ref }: ExportRef,
  likely: ReadonlySet<string>,
): Refusal | undefined {
  const there = target.refs.get(name)?.id
  const { version } = ref.value
  if (!isBranch || there === undefined || version === undefined) return undefined
  const known = stored.byCommit.get(binary(there))
  if (known === undefined) {
    if (likely.has(there)) return undefined
    const message = `In git, ${shown(name)} has moved on to ${there.slice(0, 12)}, which is not here.`
    return refusal(name, 'GIT_NOT_FORWARD', message, {
      hint: '`weft git import` brings it in; then merge where both sides went on, and export again.',
    })
  }
  if (stored.reaches(stored.numberOf(version), known)) return undefined
  const message = `In git, ${shown(name)} is at ${there.slice(0, 12)}, which is not in its past here.`
  return refusal(name, 'GIT_NOT_FORWARD', message, {
    hint: 'An export only takes branches forward: `weft git import`, or set the branch in git by hand.',
  })
}

/** Objects on their way into the pack. */
class Writing {
  readonly #stored: StoredCommits
  readonly #target: Target
  readonly #plan: ExportPlan
  readonly #pack: PackWriter
  readonly #progress: Progress
  /** Numbers of versions whose commits need what was never imported, or stand on such. */
  readonly #broken = new Set<number>()

  constructor(stored: StoredCommits, target: Target, plan: ExportPlan, pack: PackWriter, progress: Progress) {
    this.#stored = stored
    this.#target = target
    this.#plan = plan
    this.#pack = pack
    this.#progress = progress
  }

  /** How many commits have been written. */
  get written(): number {
    return this.#plan.wanted.length - this.#broken.size
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
    const trees = new TreeWriter(this.#pack, known, this.#target.hashLength)
    const isWanted = new Set(wanted)
    const noted: Entry[] = []
    let done = 0
    for (const { number, tree } of walkTrees(stored.graph, writes)) {
      const isNew = isWanted.has(number)
      if (!isNew && !boundary.has(number)) continue
      const version = stored.version(number)
      const note = notes(version)
      const parents = stored.gitParents(number).map((parent) => toHex(fromLatin1(stored.commitOf(parent))))
      const { id, bytes } = rebuilder.commit(version, note, tree, parents, isNew ? trees : undefined)
      if (!isNew) {
        // What git has of this commit is what stands here: so the ids it lists may be built on.
        if (id !== stored.commitOf(number)) throw mismatch(hexOf(stored.commitOf(number)), hexOf(id))
        continue
      }
      const isWhole = trees.endCommit() && !stored.gitParents(number).some((parent) => this.#broken.has(parent))
      if (isWhole) this.#pack.add('commit', id, bytes)
      else this.#broken.add(number)
      if (stored.name(number, id)) noted.push(exportedEntry(fromLatin1(id), lseqOf(version)))
      if (++done % 256 === 0) this.#progress('commits', done, wanted.length)
    }
    return noted
  }

  /** What is to be done with a ref, once all commits are known; undefined for nothing. */
  async update({ name, isBranch, ref }: ExportRef): Promise<RefUpdate | Refusal | undefined> {
    const { version, gitObject } = ref.value
    const there = this.#target.refs.get(name)?.id
    const problem =
      notForward(this.#stored, this.#target, { name, isBranch, ref }, NONE) ?? this.#incomplete(name, version)
    if (problem !== undefined) return problem
    const gitTags = this.#tagsOf(ref)
    const [outer] = gitTags
    const id =
      outer !== undefined
        ? this.#idOf('tag', outer)
        : version === undefined
          ? this.#idOfObject(gitObject)
          : this.#commitAt(version)
    const hex = hexOf(id)
    if (there === hex) return undefined
    if (!isBranch && there !== undefined) {
      return refusal(name, 'GIT_TAG_DIFFERS', `In git, ${shown(name)} names another object, ${there.slice(0, 12)}.`, {
        hint: 'A tag is set once: delete one of the two.',
      })
    }
    try {
      if (gitObject !== undefined) await this.#object(gitObject)
    } catch (error) {
      if (error instanceof CodedError && error.code === 'GIT_OBJECT_MISSING') return refusalOf(name, error)
      throw error
    }
    for (const tag of gitTags) this.#pack.add('tag', this.#idOf('tag', tag), tag)
    return { name, from: there, to: hex }
  }

  /** Why what a ref leads to cannot be in git whole. */
  #incomplete(name: string, version: Lseq | undefined): Refusal | undefined {
    if (this.#broken.size === 0 || version === undefined) return undefined
    const broken = this.#stored.reached([this.#stored.numberOf(version)]).find((number) => this.#broken.has(number))
    if (broken === undefined) return undefined
    const message = `A tree of the commit ${this.#stored.hexOf(broken).slice(0, 12)} names a content that no path stands for.`
    return refusal(name, 'GIT_OBJECT_MISSING', message, {
      hint: 'Such a tree was made to do harm, and only the history it came from has all of it.',
    })
  }

  /** Raw tag objects of a ref, from its name inward. */
  #tagsOf({ kind, name, seq, stream, value: { version, gitTags = [], message } }: Ref): readonly Uint8Array[] {
    if (kind !== 't' || message === undefined || version === undefined || gitTags.length > 0) return gitTags
    const tagger = this.#stored.holderOf({ seq, stream }).author
    return [bornTag(name, hexOf(this.#commitAt(version)), tagger, message)]
  }

  #commitAt(version: Lseq): string {
    return this.#stored.commitOf(this.#stored.numberOf(version))
  }

  #idOfObject(object: { type: string; content: Uint8Array } | undefined): string {
    if (object === undefined) throw new CodedError('BAD_RECORD', 'A branch or tag names nothing.')
    return this.#idOf(object.type, object.content)
  }

  #idOf(type: string, bytes: Uint8Array): string {
    return gitObjectId(type, bytes, this.#target.hashLength)
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
    this.#pack.add(type as ObjectType, this.#idOf(type, content), content)
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

const NONE: ReadonlySet<string> = new Set()

function isLink(mode: string): boolean {
  const bits = Number.parseInt(mode, 8)
  return !isDirectory(bits) && (bits & 0o170000) === 0o160000
}

function lseqOf({ last, stream }: Version): Lseq {
  return { seq: last, stream }
}

function hexOf(id: string): string {
  return toHex(fromLatin1(id))
}
