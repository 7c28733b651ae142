/**
 * Bisection in a work tree, run as a user does: marks, the work tree that follows, undo, a command that tests, and the end.
 * @module
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, beforeEach, describe, it } from 'node:test'
import { splitCommand } from '../src/cli/test-command.js'
import type { VersionInfo } from '../src/repo/results.js'
import type { BisectEnd, BisectReport } from '../src/worktree/bisect.js'
import type { StatusReport } from '../src/worktree/status.js'
import { GIT_ENVIRONMENT, git } from './support/git.js'
import { temporary } from './support/temp.js'
import { ROOT, weft, weftFails, weftJson } from './support/weft.js'

/** A repository with 16 versions on a line, `number` in the file `n`; from version 11 on, `broken` is there. */
let original = ''
/** A copy of it, for one test. */
let dir = ''
let versions: VersionInfo[] = []

const CULPRIT = 11

before(async () => {
  const source = temporary('source')
  git(source, ['init', '-q', '-b', 'main'])
  for (let i = 1; i <= 16; i++) {
    writeFileSync(join(source, 'n'), `${i}\n`)
    if (i === CULPRIT) writeFileSync(join(source, 'broken'), '')
    git(source, ['add', '-A'])
    const date = `@${1_700_000_000 + i} +0000`
    const env = { ...GIT_ENVIRONMENT, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date }
    execFileSync('git', ['-c', 'user.name=Ana', '-c', 'user.email=a@x', 'commit', '-qm', `version ${i}`], {
      cwd: source,
      env,
    })
    git(source, ['tag', `v${i}`])
  }
  original = join(temporary('bisect'), 'repository')
  await weftJson(['git', 'import', source, original])
  await weftJson(['switch', 'main', '-C', original])
})

beforeEach(async () => {
  dir = join(temporary('bisect'), 'repository')
  cpSync(original, dir, { recursive: true, preserveTimestamps: true })
  versions = (await weftJson<VersionInfo[]>(['log', '-C', dir])).reverse()
})

const bisect = (...args: string[]) => weftJson<BisectReport>(['bisect', ...args, '-C', dir])
/** `weft bisect run`, behind whose command all is the command's. */
async function bisectRun(...command: string[]): Promise<BisectReport> {
  const { status, stdout, stderr } = await weft(['bisect', 'run', '--json', ...command], { cwd: dir })
  assert.equal(status, 0, stderr)
  return JSON.parse(String(stdout)) as BisectReport
}
const here = (): number => Number(readFileSync(join(dir, 'n'), 'utf8'))
const numberOf = (id: string | undefined): number => versions.findIndex((version) => version.id === id) + 1

describe('weft bisect', () => {
  it('leads to the first bad version in as many steps as it says, and back', async () => {
    let report = await bisect('start', 'main', 'v1')
    assert.deepEqual([report.status, report.steps, report.left], ['testing', 3, 7])
    for (let tests = 0; report.status === 'testing'; tests++) {
      assert.ok(tests < 4)
      assert.equal(here(), numberOf(report.version?.id))
      report = await bisect(existsSync(join(dir, 'broken')) ? 'bad' : 'good')
    }
    assert.deepEqual([report.status, numberOf(report.version?.id)], ['found', CULPRIT])
    const end = await weftJson<BisectEnd>(['bisect', 'reset', '-C', dir])
    assert.equal(end.branch, 'main')
    assert.equal(here(), 16)
    assert.equal((await weftFails(['bisect', 'good', '-C', dir])).code, 'BISECT_NONE')
  })

  it('waits until a bad and a good version are known', async () => {
    assert.equal((await bisect('start')).status, 'waiting')
    assert.equal((await bisect('bad')).status, 'waiting')
    assert.equal(here(), 16)
    const report = await bisect('good', 'v2', 'v4')
    assert.deepEqual([report.status, here()], ['testing', 10])
    const status = await weftJson<StatusReport>(['status', '-C', dir])
    assert.deepEqual(status.bisect, { bad: versions[15]?.id, good: 2, skipped: 0 })
    assert.match(String((await weft(['status', '-C', dir])).stdout), /^Bisecting: /m)
    const said = String((await weft(['bisect', 'log', '-C', dir])).stdout).split('\n')
    assert.deepEqual(said.slice(0, 2), ['weft bisect start', `weft bisect bad ${versions[15]?.id}`])
    assert.equal(said.length, 5)
  })

  it('goes around what cannot be tested, and says where that leaves it', async () => {
    let report = await bisect('start', 'v12', 'v8')
    assert.equal(here(), 10)
    report = await bisect('skip')
    assert.notEqual(here(), 10)
    report = await bisect('skip', 'v9', 'v11')
    assert.equal(report.status, 'unclear')
    assert.deepEqual(
      report.candidates?.map(({ id }) => numberOf(id)),
      [9, 10, 11, 12],
    )
    report = await bisect('bad', 'v11')
    assert.deepEqual(
      report.candidates?.map(({ id }) => numberOf(id)),
      [9, 10, 11],
    )
    report = await bisect('good', 'v10')
    assert.deepEqual([report.status, numberOf(report.version?.id)], ['found', CULPRIT])
  })

  it('is undone mark by mark', async () => {
    await bisect('start', 'main', 'v1')
    const first = here()
    await bisect('good')
    assert.notEqual(here(), first)
    await weftJson(['undo', '-C', dir])
    assert.equal(here(), first)
    await weftJson(['undo', '-C', dir])
    assert.equal(here(), 16)
    assert.equal((await weftFails(['bisect', 'good', '-C', dir])).code, 'BISECT_NONE')
  })

  it('carries unsaved changes along, and marks nothing where they would be lost', async () => {
    writeFileSync(join(dir, 'mine'), 'mine\n')
    assert.deepEqual((await bisect('start', 'main', 'v1')).carried, ['mine'])
    const at = here()
    writeFileSync(join(dir, 'n'), 'edited\n')
    assert.equal((await weftFails(['bisect', 'good', '-C', dir])).code, 'WOULD_LOSE')
    writeFileSync(join(dir, 'n'), `${at}\n`)
    const report = await bisect('bad')
    assert.deepEqual([report.good.length, report.carried], [1, ['mine']])
  })

  it('refuses marks that contradict each other, and keeps the ones before', async () => {
    await bisect('start', 'v5', 'v3')
    for (const args of [
      ['good', 'v9'],
      ['good', 'v5'],
      ['bad', 'v3'],
    ]) {
      assert.equal((await weftFails(['bisect', ...args, '-C', dir])).code, 'BISECT_REVERSED', args.join(' '))
    }
    assert.equal((await bisect('good')).status, 'found')
    assert.equal((await weftFails(['bisect', 'start', '-C', dir])).code, 'BISECT_UNDER_WAY')
    assert.equal((await weftFails(['bisect', 'good', 'nowhere', '-C', dir])).code, 'V_UNKNOWN')
  })

  it('run lets a command find it, which may ask weft itself', async () => {
    const script = join(dir, '..', 'check.sh')
    writeFileSync(
      script,
      `#!/bin/sh\necho tested\n${process.execPath} ${join(ROOT, 'bin/run.js')} log -n 1 >/dev/null || exit 200\ntest ! -e broken\n`,
    )
    chmodSync(script, 0o755)
    await bisect('start', 'main', 'v1')
    const report = await bisectRun(script)
    assert.deepEqual([report.status, numberOf(report.version?.id)], ['found', CULPRIT])
  })

  it('run skips at 125, stops at 128 and at what cannot be started', async () => {
    await bisect('start', 'v12', 'v8')
    const skipped = await bisectRun('sh', '-c', 'test $(cat n) = 10 && exit 125; test ! -e broken')
    assert.deepEqual([skipped.status, skipped.candidates?.map(({ id }) => numberOf(id))], ['unclear', [10, 11]])
    await weftJson(['bisect', 'reset', '-C', dir])
    assert.equal((await weftFails(['bisect', 'run'], { cwd: dir })).code, 'USAGE')
    assert.match((await weft(['bisect', 'run', 'true'], { cwd: dir })).stderr, /^Error: No bisection is under way/)
    await bisect('start', 'main', 'v1')
    const at = here()
    for (const command of [['sh', '-c', 'exit 128'], ['sh', '-c', 'kill -9 $$'], ['./no-such-command']]) {
      const { status, stderr } = await weft(['bisect', 'run', ...command], { cwd: dir })
      assert.equal(status, 1)
      assert.match(stderr, /^Error: The command .* (ended with status 128|was ended by SIGKILL|cannot be started)\.$/m)
      assert.equal(here(), at)
    }
  })

  it('run begins on the version to test, wherever one has gone meanwhile', async () => {
    await bisect('start', 'main', 'v1')
    await weftJson(['switch', 'v2', '-C', dir])
    const report = await bisectRun('sh', '-c', 'test ! -e broken')
    assert.deepEqual([report.status, numberOf(report.version?.id)], ['found', CULPRIT])
  })

  it('says in words what to do next', async () => {
    const start = String((await weft(['bisect', 'start', 'main', 'v1', '-C', dir])).stdout)
    assert.match(
      start,
      /^7 versions left after this one, about 3 more tests\.\nNow test {2}[0-9a-f]{12} version 8\nThen say/,
    )
    const run = await weft(['bisect', 'run', 'sh', '-c', 'test ! -e broken'], { cwd: dir })
    assert.match(String(run.stdout), /The first bad version is [0-9a-f]{12} version 11\nAna <a@x>, 2023-/)
  })
})

describe('a command behind weft bisect run', () => {
  const cases: [argv: string[], own: string[], command: string[]][] = [
    [['npm', 'test', '--', '-x'], [], ['npm', 'test', '--', '-x']],
    [
      ['-C', 'dir', '--json', 'make', '-C', 'sub'],
      ['-C', 'dir', '--json'],
      ['make', '-C', 'sub'],
    ],
    [['--json', '--', '-odd', '--json'], ['--json'], ['-odd', '--json']],
    [['-Cdir', 'x'], ['-Cdir'], ['x']],
    [['--json'], ['--json'], []],
  ]
  for (const [argv, own, command] of cases) {
    it(`is told from weft's flags in ${argv.join(' ')}`, () => assert.deepEqual(splitCommand(argv), { own, command }))
  }
})
