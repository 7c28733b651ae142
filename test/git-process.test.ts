/**
 * git as a child: it ends when it is told to, whatever it had still to say.
 * @module
 */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startGit } from '../src/git/process.js'
import { fixture } from './support/corpus.js'
import { GitMirror } from './support/git.js'

it('a git process that is killed in the middle of its answer is over', { timeout: 20_000 }, async () => {
  const { dir } = new GitMirror(fixture('oddities'))
  for (let round = 0; round < 10; round++) {
    const git = startGit(dir, ['cat-file', '--batch', '--batch-all-objects'])
    const { value } = await git.stdout[Symbol.asyncIterator]().next()
    assert.ok((value as Buffer).length > 0)
    git.kill()
    await git.finished()
  }
})
