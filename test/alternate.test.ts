/**
 * A person in weft, a team in git: over many rounds both sides edit, and import and export take turns.
 *
 * After every round both have the same history: as many commits, said by the same people in the same words, with the
 * same files; nothing is imported or exported twice, and a fresh export has the ids that the team has.
 * @module
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, it } from 'node:test'
import { encodeUtf8, toHex, toLatin1 } from '../src/base/bytes.js'
import type { ComposeWrite } from '../src/history/compose.js'
import type { VersionRef } from '../src/history/header.js'
import { refEntries } from '../src/history/ref-log.js'
import { type Ref, readRefs } from '../src/history/refs.js'
import { importGit, openIdentity, Repository } from '../src/index.js'
import { parseLseq } from '../src/lseq/lseq.js'
import { authorVersion } from '../src/repo/author.js'
import { fixture } from './support/corpus.js'
import { expectClean, exported, refsOf } from './support/exported.js'
import { git } from './support/git.js'
import { type Random, random } from './support/random.js'
import { nowhere } from './support/temp.js'
import { HOME, weft } from './support/weft.js'
import { putMade, writerIn } from './support/writing.js'

const ROUNDS = 20
const PATHS = ['a', 'b', 'dir/c', 'dir/d', 'e']

/** A text with few different lines, so that there is much to confuse. */
function someText(chance: Random): string {
  return Array.from({ length: 3 + chance.below(12) }, () => `line ${chance.below(5)}\n`).join('')
}

function edited(text: string, chance: Random): string {
  const lines = text.split(/(?<=\n)/)
  lines.splice(chance.below(lines.length + 1), chance.below(3), `new ${chance.below(1000)}\n`)
  return lines.join('')
}

/** Both sides of the experiment. */
class Sides {
  readonly weft = nowhere('weft')
  readonly git = nowhere('team')
  readonly #chance: Random
  #time = 1_700_000_000

  constructor(chance: Random) {
    this.#chance = chance
    git('.', ['init', '-q', '-b', 'main', this.git])
    git(this.git, ['config', 'user.name', 'Grace'])
    git(this.git, ['config', 'user.email', 'grace@example.com'])
    this.commitInGit()
  }

  /** Somebody of the team edits, sometimes on a branch that is then merged. */
  commitInGit(): void {
    const chance = this.#chance
    const aside = this.#has('HEAD') && chance.below(4) === 0
    if (aside) git(this.git, ['checkout', '-q', '-b', 'aside'])
    this.#editInGit()
    if (!aside) return
    git(this.git, ['checkout', '-q', 'main'])
    if (chance.below(2) === 0) {
      writeFileSync(join(this.git, `only-${chance.below(1000)}`), someText(chance))
      this.#commit('beside')
    }
    git(this.git, ['merge', '-q', '--no-ff', '-m', 'merge in git', 'aside'])
    git(this.git, ['branch', '-q', '-D', 'aside'])
  }

  #editInGit(): void {
    const chance = this.#chance
    const path = PATHS[chance.below(PATHS.length)] as string
    const old = this.#has(`HEAD:${path}`) ? git(this.git, ['show', `HEAD:${path}`]).toString() : undefined
    const full = join(this.git, path)
    if (old !== undefined && chance.below(6) === 0) rmSync(full)
    else {
      mkdirSync(dirname(full), { recursive: true })
      writeFileSync(full, old === undefined ? someText(chance) : edited(old, chance))
    }
    this.#commit('edit in git')
  }

  #commit(message: string): void {
    git(this.git, ['add', '-A'])
    git(this.git, ['commit', '-q', '--allow-empty', '-m', message])
  }

  #has(what: string): boolean {
    return git(this.git, ['cat-file', '--batch-check'], `${what}\n`).toString().includes(' missing') === false
  }

  async import() {
    return importGit({ source: this.git, dir: this.weft, identity: await openIdentity(HOME) })
  }

  heads(repo: Repository): Promise<Ref[]> {
    return readRefs(repo.entries, 'b').then((refs) => refs.filter(({ name }) => name === 'main'))
  }

  /** The person makes a version: an edit, or a merge where there are two heads. */
  async commitInWeft(): Promise<void> {
    await using repo = await Repository.open(this.weft)
    const heads = await this.heads(repo)
    const parents = heads.flatMap(({ value }) => value.version ?? [])
    const writes =
      parents.length === 1 ? await this.#edit(repo, parents[0] as VersionRef) : await this.#join(repo, parents)
    this.#time += 60
    const ident = { name: encodeUtf8('Ada'), email: encodeUtf8('ada@example.com'), time: this.#time, zone: -300 }
    const message = encodeUtf8(parents.length === 1 ? 'edit in weft' : 'merge in weft\n')
    const made = await authorVersion(
      { entries: repo.entries, versions: repo.versions, ...(await writerIn(repo)) },
      { parents, writes, author: ident, committer: ident, message },
    )
    const value = { replaces: heads, version: made.ref }
    await putMade(repo, made.entries)
    const author = { ...(await writerIn(repo)), ident, message: '' }
    await putMade(repo, await refEntries(repo.entries, [{ kind: 'b', name: 'main', value }], author))
  }

  async #edit(repo: Repository, head: VersionRef): Promise<ComposeWrite[]> {
    const chance = this.#chance
    const at = toHex(head.id)
    const path = PATHS[chance.below(PATHS.length)] as string
    const there = (await repo.list({ at })).find((entry) => entry.path === path)
    const file = there && parseLseq(there.file)
    if (file !== undefined && chance.below(6) === 0) return [{ path, deleted: file }]
    const old = file && toLatin1(await repo.read(path, { at }))
    const text = old === undefined ? someText(chance) : edited(old, chance)
    return [{ path, put: { mode: 0o100644, file, content: async () => encodeUtf8(text) } }]
  }

  /** Takes, path by path, one side or the other, or all lines of both. */
  async #join(repo: Repository, [left, right]: readonly VersionRef[]): Promise<ComposeWrite[]> {
    const [ours, theirs] = [toHex((left as VersionRef).id), toHex((right as VersionRef).id)]
    const mine = new Map((await repo.list({ at: ours })).map((entry) => [entry.path, entry]))
    const writes: ComposeWrite[] = []
    for (const { path, file: id, sha256 } of await repo.list({ at: theirs })) {
      const own = mine.get(path)
      if (own?.sha256 === sha256 || this.#chance.below(3) === 0) continue
      const news = toLatin1(await repo.read(path, { at: theirs }))
      const old = own === undefined || this.#chance.below(2) === 0 ? '' : toLatin1(await repo.read(path, { at: ours }))
      const file = parseLseq(own?.file ?? id)
      writes.push({ path, put: { mode: 0o100644, file, content: async () => encodeUtf8(old + news) } })
    }
    return writes
  }

  /** Both sides must say the same. */
  async compare(said: string, withContents: boolean): Promise<void> {
    expectClean(this.git, said)
    assert.equal(git(this.git, ['status', '--porcelain']).toString(), '', said)
    await using repo = await Repository.open(this.weft)
    const theirs = git(this.git, ['log', '--format=%an|%ae|%at|%s', 'main']).toString().split('\n').filter(Boolean)
    const ours: string[] = []
    for await (const { author, message } of repo.log({ at: 'main' })) {
      ours.push(`${author.name}|${author.email}|${Date.parse(author.time) / 1000}|${message.split('\n', 1)[0]}`)
    }
    assert.deepEqual(ours.sort(), theirs.sort(), `log ${said}`)
    const names = git(this.git, ['ls-tree', '-r', '--name-only', 'main']).toString().split('\n').filter(Boolean)
    const listed = await repo.list({ at: 'main' })
    assert.deepEqual(
      listed.map(({ path }) => path),
      names.sort(),
      `paths ${said}`,
    )
    for (const { path } of withContents ? listed : []) {
      const read = toLatin1(await repo.read(path, { at: 'main' }))
      assert.equal(read, git(this.git, ['show', `main:${path}`]).toString('latin1'), `${path} ${said}`)
    }
  }
}

describe('weft and git in turns', () => {
  it(`have one history over ${ROUNDS} rounds`, async () => {
    const chance = random('alternate')
    const sides = new Sides(chance)
    await sides.import()
    let apart = 0
    for (let round = 1; round <= ROUNDS; round++) {
      const said = `round ${round}, seed ${chance.seed}`
      const [here, there] = [chance.below(3), chance.below(3)]
      for (let i = 0; i < here; i++) await sides.commitInWeft()
      for (let i = 0; i < there; i++) sides.commitInGit()
      if (here > 0 && there > 0) {
        const early = await exported(sides.weft, sides.git, false)
        assert.deepEqual(
          early.refused.map(({ code }) => code),
          ['GIT_NOT_FORWARD'],
          said,
        )
      }
      const brought = await sides.import()
      assert.equal(brought.versions > 0, there > 0, `what is new in git comes in, ${said}`)
      assert.deepEqual(brought.diverged, here > 0 && there > 0 ? ['main'] : [], said)
      if (brought.diverged.length > 0) {
        apart++
        await sides.commitInWeft()
      }
      const sent = await exported(sides.weft, sides.git, false)
      assert.deepEqual(sent.refused, [], said)
      assert.equal(sent.commits, here + (brought.diverged.length > 0 ? 1 : 0), said)
      assert.equal((await sides.import()).versions, 0, `what was exported is known, ${said}`)
      await sides.compare(said, round % 4 === 0)
    }
    assert.ok(apart > 0, 'both sides went on at once')
    const fresh = nowhere('fresh.git')
    await exported(sides.weft, fresh)
    assert.deepEqual(refsOf(fresh), refsOf(sides.git))
    await using repo = await Repository.open(sides.weft)
    assert.deepEqual((await repo.verify()).damage, [])
  })

  it('work by commands alone, in a directory each', async () => {
    const [mine, team] = [nowhere('mine'), nowhere('team')]
    const run = async (...args: string[]) => {
      const outcome = await weft(args, { cwd: mine, env: { WEFT_AUTHOR_NAME: 'Ada', WEFT_AUTHOR_EMAIL: 'ada@x.org' } })
      assert.equal(outcome.status, 0, `weft ${args.join(' ')}: ${outcome.stderr}${outcome.stdout}`)
      return outcome.stdout.toString()
    }
    const inGit = (path: string, text: string) => {
      writeFileSync(join(team, path), text)
      git(team, ['add', '-A'])
      git(team, ['-c', 'user.name=Grace', '-c', 'user.email=grace@x.org', 'commit', '-q', '-m', `git: ${path}`])
    }
    mkdirSync(mine)
    await run('init')
    writeFileSync(join(mine, 'a'), 'one\ntwo\nthree\n')
    await run('commit', '-m', 'begin')
    assert.match(await run('git', 'export', team), /^Exported 1 new commit with 3 objects .*; 1 branch or tag set in /)
    inGit('a', 'one\ntwo\nTHREE\n')
    assert.match(await run('git', 'import', team, '.'), /`weft merge` brings them up/)
    await run('merge')
    assert.equal(readFileSync(join(mine, 'a'), 'utf8'), 'one\ntwo\nTHREE\n')
    writeFileSync(join(mine, 'a'), 'ONE\ntwo\nTHREE\n')
    await run('commit', '-m', 'louder')
    inGit('b', 'b\n')
    const refused = await weft(['git', 'export', team], { cwd: mine })
    assert.deepEqual([refused.status, /weft git import/.test(refused.stdout.toString())], [1, true])
    assert.match(await run('git', 'import', team, '.'), /^Diverged: main /m)
    await run('merge')
    await run('git', 'export', team)
    expectClean(team)
    assert.equal(git(team, ['status', '--porcelain']).toString(), '')
    assert.equal(readFileSync(join(team, 'a'), 'utf8'), 'ONE\ntwo\nTHREE\n')
    assert.equal(readFileSync(join(mine, 'b'), 'utf8'), 'b\n')
    assert.equal(git(team, ['rev-list', '--count', 'main']).toString(), '5\n')
  })

  it('share a directory, where the files are weft’s', async () => {
    const dir = nowhere('shared')
    const run = async (...args: string[]) => {
      const outcome = await weft(args, { cwd: dir, env: { WEFT_AUTHOR_NAME: 'Ada', WEFT_AUTHOR_EMAIL: 'ada@x.org' } })
      assert.equal(outcome.status, 0, `weft ${args.join(' ')}: ${outcome.stderr}${outcome.stdout}`)
    }
    const status = () => git(dir, ['status', '--porcelain', '--', ':!.weft']).toString()
    git('.', ['clone', '-q', fixture('small'), dir])
    await run('git', 'import', '.', '.')
    await run('switch', 'main')
    writeFileSync(join(dir, 'new'), 'new\n')
    await run('commit', '-m', 'new')
    await run('git', 'export', '.')
    assert.equal(status(), '')
    await run('switch', '-c', 'topic')
    writeFileSync(join(dir, 'new'), 'newer\n')
    await run('commit', '-m', 'newer')
    await run('git', 'export', '.')
    assert.equal(git(dir, ['symbolic-ref', '--short', 'HEAD']).toString(), 'topic\n')
    assert.equal(status(), '')
    await run('switch', 'main')
    await run('git', 'export', '.')
    assert.equal(git(dir, ['symbolic-ref', '--short', 'HEAD']).toString(), 'main\n')
    assert.equal(status(), '')
    writeFileSync(join(dir, 'staged'), 'mine\n')
    git(dir, ['add', 'staged'])
    writeFileSync(join(dir, 'new'), 'newest\n')
    await run('commit', 'new', '-m', 'newest')
    const refused = await weft(['git', 'export', '.', '--json'], { cwd: dir })
    assert.match(refused.stdout.toString(), /"GIT_WORK_TREE"/)
    assert.match(git(dir, ['status', '--porcelain']).toString(), /^A {2}staged$/m)
  })
})
