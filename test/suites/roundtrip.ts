/**
 * Round trip: a git history imported must read as git itself reads it, in every version, file and word.
 *
 * One suite for every bundle. The oracle is git's own objects (`support/git.ts`); what is compared goes through the
 * library, and the import through the command.
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { toHex } from '../../src/base/bytes.js'
import type { PathPut } from '../../src/history/path-entry.js'
import { type ImportReport, Repository, type TreeEntry, type VersionInfo } from '../../src/index.js'
import { filesBelow } from '../support/disk.js'
import { type GitCommit, type GitFile, GitMirror, git } from '../support/git.js'
import { type Random, random } from '../support/random.js'
import { storedTrees } from '../support/stored.js'
import { nowhere, temporary } from '../support/temp.js'
import { person, shownName, shownPath, shownText } from '../support/view.js'
import { weft, weftJson } from '../support/weft.js'

/** How much of a history to compare; everything by default. */
export interface RoundTripOptions {
  readonly skip?: string | false
  /** Ask for the files of this many versions, chosen at random. What is stored is compared for all versions. */
  readonly lists?: number
  /** Read this many contents, chosen at random. */
  readonly contents?: number
  /** Restore this many versions, chosen at random. Default 8. */
  readonly restores?: number
  /** Import the history in two parts too. Default true. */
  readonly inParts?: boolean
}

/** The suite for one bundle. */
export function roundTripSuite(name: string, bundle: string, options: RoundTripOptions = {}): void {
  describe(`round trip: ${name}`, { skip: options.skip ?? false }, () => {
    const chance = random(name)
    const dir = nowhere(name)
    let mirror: GitMirror
    let commits: GitCommit[]
    let byGit: Map<string, VersionInfo>
    let facts: BlobFacts

    before(async () => {
      mirror = new GitMirror(bundle)
      facts = new BlobFacts(mirror)
      commits = mirror.commits()
      const report = await importBundle(bundle, dir, '--check')
      assert.equal(report.versions, commits.length, 'a version for every commit')
      assert.equal(report.checked, commits.length, 'every tree id recomputed')
      byGit = await versionsByGit(dir, mirror)
    })

    it('has every commit, and no other', () => {
      assert.deepEqual([...byGit.keys()].sort(), commits.map((commit) => commit.id).sort())
    })

    it('keeps who, when, why and after what', () => {
      for (const commit of commits) compareVersion(commit, byGit)
    })

    it('lists children before parents', async () => {
      await using repo = await Repository.open(dir)
      for (const tip of sample([...new Set(mirror.refs().values())], 12, chance)) {
        const seen = new Set<string>()
        for await (const version of repo.log({ at: tip })) {
          for (const parent of version.parents) assert.ok(!seen.has(parent), `${parent} comes before ${version.id}`)
          seen.add(version.id)
        }
        assert.equal(seen.size, mirror.commits(tip).length, `log of ${tip}`)
      }
    })

    it('resolves branches and tags to their commits', async () => {
      await using repo = await Repository.open(dir)
      for (const [ref, commit] of sample([...mirror.refs()], 40, chance)) {
        const name = shownName(ref.replace(/^refs\/(heads|tags)\//, ''))
        const version = await repo.show(name)
        const there = ['refs/heads/', 'refs/tags/'].map((kind) =>
          mirror.refs().get(kind + ref.replace(/^refs\/(heads|tags)\//, '')),
        )
        assert.ok(there.includes(version.git), `${ref} is ${commit}, resolved to ${version.git}`)
      }
    })

    it('has stored the files of every version', async () => {
      const trees = new Map(commits.map(({ id, tree }) => [id, tree]))
      let compared = 0
      for await (const { commit, files } of storedTrees(dir)) {
        compareStored(commit, files, mirror.files(trees.get(commit) as string), facts)
        compared++
      }
      assert.equal(compared, commits.length)
    })

    it('lists the files of versions', async () => {
      await using repo = await Repository.open(dir)
      for (const commit of sample(commits, options.lists, chance)) {
        compareTree(commit, await repo.list({ at: commit.id }), mirror.files(commit.tree), facts)
      }
    })

    it('reads every content', async () => {
      await using repo = await Repository.open(dir)
      const places = placesOfBlobs(commits, mirror)
      for (const part of portions(sample([...places.keys()], options.contents, chance), 500)) {
        for (const [id, bytes] of mirror.objects(part)) {
          const { commit, path } = places.get(id) as Place
          const read = await repo.read(shownPath(path), { at: commit })
          assert.ok(bytes.equals(read), `${commit}: ${shownPath(path)} differs`)
        }
      }
    })

    it('restores versions as a checkout would', async () => {
      for (const commit of sample(commits, options.restores ?? 8, chance)) {
        const to = nowhere('restored')
        const outcome = await weft(['restore', '-C', dir, '--at', commit.id, '--to', to])
        assert.equal(outcome.status, 0, outcome.stderr)
        compareDisk(commit, to, mirror)
      }
    })

    it('verifies', async () => {
      const report = await weftJson<{ ok: boolean; versions: number; damage: unknown[] }>(['verify', '-C', dir])
      assert.deepEqual(report.damage, [])
      assert.equal(report.ok, true)
      assert.ok(report.versions >= commits.length)
    })

    it('imports nothing a second time', async () => {
      const report = await importBundle(bundle, dir)
      assert.equal(report.versions, 0)
      assert.equal(report.entries, 0)
    })

    if (options.inParts !== false) {
      it('comes out the same when it is imported in parts', async () => {
        const parts = nowhere(`${name}-parts`)
        const half = await importBundle(halfOf(commits, mirror), parts)
        assert.ok(half.versions > 0 && half.versions < commits.length, `${half.versions} of ${commits.length}`)
        const rest = await importBundle(bundle, parts, '--check')
        assert.equal(half.versions + rest.versions, commits.length)
        await compareRepositories(parts, dir, mirror, sample(commits, options.lists ?? 200, chance))
      })
    }
  })
}

/** Runs `weft git import`. */
export function importBundle(bundle: string, dir: string, ...flags: string[]): Promise<ImportReport> {
  return weftJson<ImportReport>(['git', 'import', bundle, dir, ...flags])
}

/** Every version that some branch or tag leads to, by the id of its commit. */
export async function versionsByGit(dir: string, mirror: GitMirror): Promise<Map<string, VersionInfo>> {
  await using repo = await Repository.open(dir)
  const versions = new Map<string, VersionInfo>()
  for (const tip of new Set(mirror.refs().values())) {
    if (versions.has(tip)) continue
    for await (const version of repo.log({ at: tip })) versions.set(version.git as string, version)
  }
  return versions
}

function compareVersion(commit: GitCommit, byGit: ReadonlyMap<string, VersionInfo>): void {
  const version = byGit.get(commit.id) as VersionInfo
  const parents = commit.parents.map((parent) => byGit.get(parent)?.id)
  assert.deepEqual(version.parents, parents, `parents of ${commit.id}`)
  for (const role of ['author', 'committer'] as const) {
    const expected = person(commit[role])
    const [name, email] = [expected?.name, expected?.email].map((text) => text && shownText(commit, text))
    if (expected === undefined || name === undefined || email === undefined) continue
    // -0000 says that the zone is unknown; both spellings of it will do.
    const time = version[role].time.replace('-00:00', '+00:00')
    assert.deepEqual(
      { ...version[role], time },
      { name, email, time: expected.time.replace('-00:00', '+00:00') },
      commit.id,
    )
  }
  const message = shownText(commit, commit.message)
  if (message !== undefined) assert.equal(version.message, message, `message of ${commit.id}`)
}

/** Compares what is stored of a version with git's tree: raw modes too. */
function compareStored(
  commit: string,
  stored: ReadonlyMap<string, PathPut>,
  files: ReadonlyMap<string, GitFile>,
  facts: BlobFacts,
): void {
  assert.equal(stored.size, files.size, `number of paths of ${commit}`)
  for (const [path, file] of files) {
    const put = stored.get(path)
    const where = (): string => `${commit}: ${shownPath(path)}`
    if (put === undefined) assert.fail(`${where()} is missing`)
    if (put.mode !== Number.parseInt(file.rawMode, 8)) assert.fail(`${where()}: mode ${put.mode.toString(8)}`)
    if (file.mode === '160000') continue
    const { size, sha256 } = facts.of(file.id)
    if (put.size !== size || toHex(put.sha256) !== sha256) assert.fail(`${where()}: another content`)
  }
}

function compareTree(commit: GitCommit, entries: TreeEntry[], files: Map<string, GitFile>, facts: BlobFacts): void {
  const ours = new Map(entries.map((entry) => [entry.path, entry]))
  assert.equal(ours.size, entries.length, `${commit.id}: a path twice`)
  assert.deepEqual([...ours.keys()].sort(), [...files.keys()].map(shownPath).sort(), `paths of ${commit.id}`)
  for (const [path, file] of files) {
    const entry = ours.get(shownPath(path)) as TreeEntry
    const where = `${commit.id}: ${entry.path}`
    assert.equal(entry.mode.replace(/^0+/, ''), file.mode, where)
    assert.equal(entry.kind, KIND[file.mode], where)
    if (file.mode === '160000') continue
    assert.deepEqual({ size: entry.size, sha256: entry.sha256 }, facts.of(file.id), where)
  }
}

const KIND: Record<string, string> = {
  '100644': 'file',
  '100755': 'executable',
  '120000': 'symlink',
  '160000': 'submodule',
}

/** Compares a directory with what git would check out there. Submodules are left out: git makes an empty directory. */
export function compareDisk(commit: GitCommit, dir: string, mirror: GitMirror): void {
  const files = [...mirror.files(commit.tree)].filter(([, file]) => file.mode !== '160000')
  const blobs = mirror.objects([...new Set(files.map(([, file]) => file.id))])
  const found = filesBelow(dir)
  assert.deepEqual([...found.keys()].sort(), files.map(([path]) => path).sort(), `paths of ${commit.id} on disk`)
  for (const [path, file] of files) {
    const disk = found.get(path)
    assert.equal(disk?.mode, file.mode, `${commit.id}: ${path}`)
    assert.ok(disk?.data.equals(blobs.get(file.id) as Buffer), `${commit.id}: ${path} differs`)
  }
}

/** Two repositories of one history must give the same answers to every question about it. */
export async function compareRepositories(
  a: string,
  b: string,
  mirror: GitMirror,
  commits: readonly GitCommit[],
): Promise<void> {
  const [left, right] = [await versionsByGit(a, mirror), await versionsByGit(b, mirror)]
  assert.deepEqual(graph(left), graph(right))
  await using one = await Repository.open(a)
  await using other = await Repository.open(b)
  for (const commit of commits) {
    const ours = await one.list({ at: commit.id })
    const theirs = await other.list({ at: commit.id })
    assert.deepEqual(ours.map(withoutIds), theirs.map(withoutIds), `tree of ${commit.id}`)
  }
  const tip = [...mirror.refs()].find(([name]) => name === mirror.git('symbolic-ref', 'HEAD').toString().trim())?.[1]
  if (tip === undefined) return
  const texts = (await one.list({ at: tip }))
    .filter((entry) => entry.kind === 'file' && entry.size < 100_000)
    .slice(0, 12)
  for (const { path } of texts) {
    const ours = await one.blame(path, { at: tip })
    const theirs = await other.blame(path, { at: tip })
    assert.deepEqual(ours.lines.map(whose), theirs.lines.map(whose), `blame of ${path}`)
  }
}

const withoutIds = ({ path, mode, kind, size, sha256 }: TreeEntry) => ({ path, mode, kind, size, sha256 })
const whose = ({ n, text, git }: { n: number; text: string; git?: string }) => ({ n, text, git })

/** Who follows whom, by commit id, in a fixed order. */
function graph(versions: ReadonlyMap<string, VersionInfo>): string[] {
  const gitOf = new Map([...versions.values()].map((version) => [version.id, version.git]))
  return [...versions.values()].map((v) => `${v.git}: ${v.parents.map((id) => gitOf.get(id)).join(' ')}`).sort()
}

/** A bundle of the older half of a history. */
function halfOf(commits: readonly GitCommit[], mirror: GitMirror): string {
  const middle = commits[commits.length >> 1] as GitCommit
  const clone = join(temporary('half'), 'half.git')
  git('.', ['clone', '-q', '--mirror', mirror.dir, clone])
  for (const ref of git(clone, ['for-each-ref', '--format=delete %(refname)'])
    .toString('latin1')
    .split('\n')
    .filter(Boolean)) {
    git(clone, ['update-ref', '--stdin'], Buffer.from(`${ref}\n`, 'latin1'))
  }
  git(clone, ['update-ref', 'refs/heads/main', middle.id])
  git(clone, ['symbolic-ref', 'HEAD', 'refs/heads/main'])
  const bundle = join(temporary('half'), 'half.bundle')
  git(clone, ['bundle', 'create', '-q', bundle, 'HEAD', '--all'])
  return bundle
}

interface Place {
  readonly commit: string
  readonly path: string
}

/** For every blob of a history a version and a path at which it can be read. */
function placesOfBlobs(commits: readonly GitCommit[], mirror: GitMirror): Map<string, Place> {
  const places = new Map<string, Place>()
  for (const commit of commits) {
    for (const [path, file] of mirror.files(commit.tree)) {
      if (file.mode !== '160000' && !places.has(file.id)) places.set(file.id, { commit: commit.id, path })
    }
  }
  return places
}

/** Size and SHA-256 of blobs, worked out once each. */
class BlobFacts {
  readonly #mirror: GitMirror
  readonly #known = new Map<string, { size: number; sha256: string }>()

  constructor(mirror: GitMirror) {
    this.#mirror = mirror
  }

  of(id: string): { size: number; sha256: string } {
    if (this.#known.size === 0) this.#learnAll()
    const known = this.#known.get(id)
    if (known === undefined) throw new Error(`no blob ${id}`)
    return known
  }

  #learnAll(): void {
    const listed = this.#mirror
      .git('cat-file', '--batch-all-objects', '--batch-check=%(objecttype) %(objectname)')
      .toString()
    const ids = [...listed.matchAll(/^blob ([0-9a-f]{40})$/gm)].map(([, id]) => id as string)
    for (const part of portions(ids, 2000)) {
      for (const [id, bytes] of this.#mirror.objects(part)) {
        this.#known.set(id, { size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') })
      }
    }
  }
}

/** `count` of `items` at random, in their order; all of them without a count. */
function sample<T>(items: readonly T[], count: number | undefined, chance: Random): readonly T[] {
  if (count === undefined || count >= items.length) return items
  const chosen = new Set<number>()
  while (chosen.size < count) chosen.add(chance.below(items.length))
  return items.filter((_, i) => chosen.has(i))
}

function* portions<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
