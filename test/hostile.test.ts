/**
 * Histories made to hurt (`fixtures/hostile.bundle`): each is imported whole or refused with a code, and nothing that is
 * done with it afterwards writes a byte outside the directory it was told, or over the repository's own.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { fixture } from './support/corpus.js'
import { type DiskFile, filesBelow } from './support/disk.js'
import { GitMirror } from './support/git.js'
import { temporary } from './support/temp.js'
import { type Outcome, weft, weftFails } from './support/weft.js'

/** Where the absolute names of the bundle point. */
const ABSOLUTE = '/tmp/weft-hostile-absolute'

/** A directory with things of value in it, and in its midst the one place that may be written to. */
interface Yard {
  readonly repo: string
  readonly target: string
  /** What has changed outside of both. */
  disturbed(): string[]
}

function yard(): Yard {
  const top = temporary('yard')
  const inner = join(top, 'a', 'b')
  mkdirSync(join(inner, 'repo'), { recursive: true })
  for (const dir of [top, join(top, 'a'), inner]) writeFileSync(join(dir, 'evil.txt'), 'of value\n')
  const [repo, target] = [join(inner, 'repo'), join(inner, 'target')]
  const outside = (): Map<string, DiskFile> =>
    new Map([...filesBelow(top)].filter(([path]) => !/^a[/]b[/](repo|target)[/]/.test(path)))
  const was = outside()
  return {
    repo,
    target,
    disturbed() {
      const is = outside()
      const names = new Set([...was.keys(), ...is.keys()])
      return [...names].filter((name) => !was.get(name)?.data.equals(is.get(name)?.data ?? Buffer.of()))
    },
  }
}

/** A command did its work or refused it with a code; it did not break. */
function expectPlain(outcome: Outcome): boolean {
  assert.ok([0, 1, 3].includes(outcome.status ?? -1), `status ${outcome.status}: ${outcome.stderr}`)
  assert.doesNotMatch(outcome.stderr, /\n\s+at .*[.][jt]s:\d+/)
  return outcome.status === 0
}

describe('hostile histories', () => {
  let branches: string[] = []
  before(() => {
    rmSync(ABSOLUTE, { recursive: true, force: true })
    const mirror = new GitMirror(fixture('hostile'))
    branches = [...mirror.refs().keys()].map((name) => name.replace('refs/heads/', ''))
    assert.ok(branches.length > 30)
  })

  it('never write outside of what they were given', async (t) => {
    for (const branch of branches) {
      await t.test(branch, async () => {
        const { repo, target, disturbed } = yard()
        const imported = expectPlain(
          await weft(['git', 'import', fixture('hostile'), repo, '--ref', branch, '--check']),
        )
        assert.ok(imported || branch !== 'main', 'main is harmless')
        if (!imported) await weftFails(['git', 'import', fixture('hostile'), repo, '--ref', branch])
        if (imported) {
          assert.equal((await weft(['ls', '-C', repo, '--json'])).status, 0, 'what was imported can be listed')
          expectPlain(await weft(['restore', '-C', repo, '--at', branch, '--to', target]))
          expectPlain(await weft(['git', 'import', fixture('hostile'), repo, '--ref', branch, '--checkout']))
          assert.equal((await weft(['verify', '-C', repo])).status, 0, 'the repository is whole')
        }
        assert.deepEqual(disturbed(), [])
        assert.ok(!existsSync(ABSOLUTE), `${ABSOLUTE} was written`)
      })
    }
  })

  it('are refused or imported all at once, too', async () => {
    const { repo, disturbed } = yard()
    if (expectPlain(await weft(['git', 'import', fixture('hostile'), repo, '--checkout']))) {
      assert.equal((await weft(['verify', '-C', repo])).status, 0)
    }
    assert.deepEqual(disturbed(), [])
    assert.ok(!existsSync(ABSOLUTE))
  })
})
