/**
 * Compiled code is kept between runs on a Node that does not do so itself, and nothing depends on it.
 * @module
 */
import assert from 'node:assert/strict'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import module from 'node:module'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporary } from './support/temp.js'
import { ROOT, weft } from './support/weft.js'

const skip = 'enableCompileCache' in module ? 'this Node keeps compiled code itself' : false

describe('the code cache', { skip }, () => {
  const cache = temporary('cache')
  const folder = join(cache, 'weft')
  const run = async (env: Record<string, string | undefined> = {}, args = ['key', '--help']): Promise<string> => {
    const { status, stdout, stderr } = await weft(args, {
      env: { NODE_V8_COVERAGE: undefined, XDG_CACHE_HOME: cache, ...env },
    })
    assert.equal(status, 0, stderr)
    return stdout.toString()
  }
  const file = (): string => join(folder, readdirSync(folder).find((name) => name.endsWith('-key.bin')) as string)

  it('is written by the first run and read by the next', async () => {
    const first = await run()
    const { mtimeMs, mode, size } = statSync(file())
    assert.ok(size > 10_000, `${size} bytes`)
    assert.equal(mode & 0o077, 0)
    assert.equal(await run(), first)
    assert.equal(statSync(file()).mtimeMs, mtimeMs)
    assert.equal(readdirSync(folder).length, 1)
  })

  it('is of one command, and of a run that succeeded', async () => {
    const { status } = await weft(['ls'], { cwd: cache, env: { NODE_V8_COVERAGE: undefined, XDG_CACHE_HOME: cache } })
    assert.equal(status, 1)
    assert.deepEqual(readdirSync(folder).length, 1)
    await run({}, ['completion', 'bash'])
    assert.equal(readdirSync(folder).filter((name) => name.endsWith('-completion.bin')).length, 1)
    assert.equal(readdirSync(folder).length, 2)
  })

  it('is made anew when it is damaged', async () => {
    const whole = readFileSync(file())
    for (const damaged of [whole.subarray(0, 100), Buffer.alloc(0), Buffer.from(whole).fill(7, 5000, 5001)]) {
      writeFileSync(file(), damaged)
      await run()
      assert.ok(statSync(file()).size > 10_000)
      assert.notDeepEqual(readFileSync(file()), damaged)
    }
  })

  it('is not asked for where the user says so, and not needed where it cannot be', async () => {
    const none = temporary('none')
    await run({ XDG_CACHE_HOME: none, NODE_DISABLE_COMPILE_CACHE: '1' })
    await run({ XDG_CACHE_HOME: '', LOCALAPPDATA: '', HOME: '' })
    assert.deepEqual(readdirSync(none), [])
    chmodSync(none, 0o500)
    await run({ XDG_CACHE_HOME: none })
    await run({ XDG_CACHE_HOME: join(ROOT, 'package.json') })
  })
})
