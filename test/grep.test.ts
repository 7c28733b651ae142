/**
 * Searching: at a version as `git grep` finds it, in all of history as every version's files and blame have it.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { before, describe, it } from 'node:test'
import type { BlameLine, GrepMatch, Repository } from '../src/index.js'
import { GIT_ENVIRONMENT, type GitCommit } from './support/git.js'
import { type Imported, imported } from './support/imported.js'
import { random } from './support/random.js'
import { shownPath } from './support/view.js'

/** JavaScript's patterns beside those of `git grep -E`, or of `-F` where there is only one. */
const patterns: [pattern: RegExp, git: string[]][] = [
  [/sentence 1[0-4],/, ['-E', 'sentence 1[0-4],']],
  [/sentence 3, which/, ['-F', 'sentence 3, which']],
  [/^#/, ['-E', '^#']],
  [/e$/, ['-E', 'e$']],
  [/(a|b)c/, ['-E', '(a|b)c']],
  [/THE/i, ['-i', '-F', 'THE']],
  [/no such words anywhere/, ['-F', 'no such words anywhere']],
]

/** `path:n:text` of what git finds, in the paths' order. Texts are what weft makes of bytes. */
function gitGrep(
  { mirror }: Imported,
  commit: string,
  args: readonly string[],
  paths: readonly string[] = [],
): string[] {
  const command = ['grep', '-z', '-n', '-I', '--full-name', ...args.slice(0, -1), '-e', args.at(-1) as string, commit]
  let out: Buffer
  try {
    out = execFileSync('git', [...command, '--', ...paths], {
      cwd: mirror.dir,
      env: GIT_ENVIRONMENT,
      maxBuffer: 1 << 30,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    if ((error as { status?: number }).status !== 1) throw error
    return []
  }
  const found: string[] = []
  for (let at = 0; at < out.length; ) {
    const name = out.indexOf(0, at)
    const number = out.indexOf(0, name + 1)
    const end = out.indexOf(10, number)
    const path = shownPath(out.toString('latin1', at + commit.length + 1, name))
    found.push(`${path}:${out.toString('latin1', name + 1, number)}:${out.toString('utf8', number + 1, end)}`)
    at = end + 1
  }
  return found
}

async function all(matches: AsyncIterable<GrepMatch>): Promise<GrepMatch[]> {
  const found: GrepMatch[] = []
  for await (const match of matches) found.push(match)
  return found
}

for (const name of ['small', 'badmerge', 'oddities']) {
  describe(`grep at versions of ${name}`, () => {
    it('finds what git grep finds', async () => {
      const source = await imported(name)
      const commits = source.mirror.commits()
      await using repo = await source.open()
      let count = 0
      for (const commit of commits.filter((_, i) => i % 12 === 5 || i === commits.length - 1)) {
        const kept = await pathsKeptAsLines(repo, source, commit)
        for (const [pattern, args] of patterns) {
          const ours = await all(repo.grep(pattern, { at: commit.id }))
          const theirs = gitGrep(source, commit.id, args).filter((line) => kept(line))
          assert.deepEqual(
            ours.map(({ path, n, text }) => `${path}:${n}:${text}`),
            theirs,
            `${pattern} at ${commit.id}`,
          )
          count += ours.length
        }
      }
      assert.ok(count > 0, 'lines were found')
    })
  })
}

/** Which lines of git's answer are of files that weft has lines of: with no line over 64 KiB. */
async function pathsKeptAsLines(repo: Repository, { mirror }: Imported, commit: GitCommit) {
  const long = new Set<string>()
  const files = mirror.files(commit.tree)
  for (const { path, size } of await repo.list({ at: commit.id })) {
    if (size <= 65_536) continue
    const [, file] = [...files].find(([name]) => shownPath(name) === path) ?? []
    const lines =
      file === undefined ? [] : (mirror.objects([file.id]).get(file.id)?.toString('latin1').split('\n') ?? [])
    if (lines.some((line) => line.length >= 65_536)) long.add(path)
  }
  return (line: string): boolean => ![...long].some((path) => line.startsWith(`${path}:`))
}

describe('grep', () => {
  let source: Imported
  before(async () => {
    source = await imported('oddities')
  })

  it('says who put a line, as blame does', async () => {
    await using repo = await source.open()
    const matches = await all(repo.grep(/sentence 2\d/, { at: 'main', paths: ['moved'] }))
    assert.ok(matches.length > 20)
    const blames = new Map<string, readonly BlameLine[]>()
    for (const { path, n, text, lseq, put } of matches) {
      if (!blames.has(path)) blames.set(path, (await repo.blame(path, { at: 'main' })).lines)
      const line = blames.get(path)?.[(n ?? 0) - 1]
      assert.deepEqual(
        { text, lseq, version: put.version, git: put.git },
        { text: line?.text, lseq: line?.lseq, version: line?.version, git: line?.git },
      )
    }
  })

  it('searches the chosen paths only', async () => {
    await using repo = await source.open()
    for (const paths of [['moved'], ['moved/'], ['move', 'moved/grove/b'], ['moved/edited.txt', 'moved/edited.txt']]) {
      const ours = await all(repo.grep(/sentence 7,/, { at: 'main', paths }))
      const theirs = gitGrep(source, 'main', ['-F', 'sentence 7,'], paths)
      assert.deepEqual(
        ours.map(({ path, n, text }) => `${path}:${n}:${text}`),
        theirs,
        paths.join(' '),
      )
      assert.ok(ours.length > 0)
    }
    const none = all(repo.grep(/x/, { at: 'main', paths: ['moved', 'no/such'] }))
    await assert.rejects(none, { code: 'PATH_UNKNOWN' })
    await assert.rejects(all(repo.grep(/x/, { history: true, paths: ['no/such'] })), { code: 'PATH_UNKNOWN' })
  })

  it('may be left in the middle', async () => {
    await using repo = await source.open()
    for (const history of [false, true]) {
      for await (const match of repo.grep(/./, { history })) {
        assert.ok(match.text.length > 0)
        break
      }
    }
  })
})

for (const name of ['small', 'badmerge', 'oddities']) {
  describe(`grep in all of history of ${name}`, () => {
    let source: Imported
    let commits: GitCommit[]
    before(async () => {
      source = await imported(name)
      commits = source.mirror.commits()
    })

    it('finds every line that any version has', async () => {
      await using repo = await source.open()
      const found = new Set((await all(repo.grep(/^/, { history: true }))).map(({ text }) => text))
      for (const commit of commits.filter((_, i) => i % 6 === 0)) {
        for await (const { text } of repo.grep(/^/, { at: commit.id })) assert.ok(found.has(text), JSON.stringify(text))
      }
    })

    it('finds the same with a needle and without', async () => {
      await using repo = await source.open()
      for (const [pattern, same] of [
        [/sentence 1[0-4],/, /(?:s)entence 1[0-4],|\0no/],
        [/ the /, /[ ]the[ ]/],
        [/\./, /[.]/],
      ] as const) {
        const one = await all(repo.grep(pattern, { history: true }))
        assert.deepEqual(one, await all(repo.grep(same, { history: true })))
        assert.equal(new Set(one.map(({ lseq }) => lseq)).size, one.length, 'a line is told once')
      }
    })

    it('says when a line came and when it went', async () => {
      await using repo = await source.open()
      const chance = random(`grep in history of ${name}`)
      const matches = (await all(repo.grep(/\S/, { history: true }))).filter(() => chance.below(8) === 0).slice(0, 150)
      const linesAt = new Map<string, Set<string>>()
      /** Lseqs of all lines in a version. */
      const lines = async (version: string): Promise<Set<string>> => {
        let there = linesAt.get(version)
        if (there === undefined) {
          there = new Set<string>()
          for await (const { lseq } of repo.grep(/^/, { at: version })) there.add(lseq)
          linesAt.set(version, there)
        }
        return there
      }
      for (const { lseq, put, removed, text } of matches) {
        assert.ok((await lines(put.version)).has(lseq), `${put.version} put ${lseq}: ${text}`)
        for (const { version } of removed ?? []) {
          const { parents } = await repo.show(version)
          assert.ok(!(await lines(version)).has(lseq), `${version} removed ${lseq}: ${text}`)
          const before = await Promise.all(parents.map(lines))
          assert.ok(
            before.some((there) => there.has(lseq)),
            `a parent of ${version} has ${lseq}: ${text}`,
          )
        }
        if (removed !== undefined) continue
        const tips = [...new Set(source.mirror.refs().values())]
        const still = await Promise.all(tips.map(lines))
        assert.ok(
          still.some((there) => there.has(lseq)),
          `${lseq} was never removed: ${text}`,
        )
      }
    })
  })
}
