/**
 * Replicas as a user has them: real processes, over a directory, ssh and HTTP; killed, and gone on with.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloneReport } from '../src/cli/clone-into.js'
import type { SyncAnswer } from '../src/cli/format-sync.js'
import type { VerifyReport } from '../src/repo/results.js'
import { clone as cloneStore } from '../src/sync/clone.js'
import type { StatusReport } from '../src/worktree/status.js'
import { peerOf } from './support/replicas.js'
import { nowhere, temporary } from './support/temp.js'
import { HOME, ROOT, weft, weftFails, weftJson } from './support/weft.js'

const RUN = join(ROOT, 'bin', 'run.js')

async function repository(): Promise<string> {
  const root = nowhere('repo')
  await weftJson(['init', root])
  await change(root, 'list', 'flour\nmilk\neggs\n')
  return root
}

async function change(root: string, path: string, text: string): Promise<void> {
  writeFileSync(join(root, path), text)
  await weftJson(['-C', root, 'commit', '-m', `write ${path}`])
}

async function clone(url: string, env: Record<string, string> = {}): Promise<string> {
  const root = nowhere('clone')
  await weftJson<CloneReport>(['clone', url, root], { env })
  return root
}

const sync = (root: string, ...args: string[]) => weftJson<SyncAnswer>(['-C', root, 'sync', ...args])
const verify = (root: string) => weftJson<VerifyReport>(['-C', root, 'verify'])
const text = (root: string, path: string) => readFileSync(join(root, path), 'utf8')

/** A server of a folder, and what ends it. */
async function serve(root: string, ...args: string[]): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [RUN, 'serve', root, '--http', '127.0.0.1:0', '--json', ...args], {
    env: { ...process.env, WEFT_HOME: HOME, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(child.stdout)) {
    const { url } = JSON.parse(line) as { url: string }
    return { url: url.replace(/\/$/, ''), child }
  }
  throw new Error('the server ended before it said where it is')
}

/** Puts a token for a server into a folder and answers it. */
async function tokenFor(root: string, ...may: string[]): Promise<string> {
  return (await weftJson<{ token: string }>(['serve', 'token', 'add', ...may, '-C', root])).token
}

describe('a clone of a directory', () => {
  it('has files, a remote and the same log, and is on the same branch', async () => {
    const a = await repository()
    await weftJson(['-C', a, 'switch', '-c', 'topic'])
    await change(a, 'topic', 'topic\n')
    const root = nowhere('clone')
    const report = await weftJson<CloneReport>(['clone', a, root])
    assert.deepEqual([report.branch, report.files], ['topic', 2])
    assert.equal(text(root, 'topic'), 'topic\n')
    const remotes = await weftJson<unknown[]>(['-C', root, 'remote', 'list'])
    assert.deepEqual(remotes, [{ name: 'origin', url: a, hasToken: false }])
    const log = (dir: string) => weftJson<{ id: string }[]>(['-C', dir, 'log'])
    assert.deepEqual(await log(root), await log(a))
    assert.equal((await weftJson<StatusReport>(['-C', root, 'status'])).clean, true)
    assert.deepEqual((await verify(root)).damage, [])
  })

  it('goes into a new or empty directory, and leaves nothing where it fails', async () => {
    const a = await repository()
    const full = temporary('full')
    writeFileSync(join(full, 'x'), '')
    assert.equal((await weftFails(['clone', a, full])).code, 'DIR_NOT_EMPTY')
    assert.equal((await weftFails(['clone', a, a])).code, 'REPO_EXISTS')
    const target = nowhere('none')
    assert.equal((await weftFails(['clone', temporary('empty'), target])).code, 'REPO_NOT_FOUND')
    assert.equal(existsSync(target), false)
    assert.equal((await weftFails(['clone', join(full, 'nothing'), target])).code, 'REMOTE_NOT_FOUND')
    assert.equal((await weftFails(['clone', a, target, '--branch', 'no-such'])).code, 'V_UNKNOWN')
  })

  it('of a repository without versions has none, and gets its files with the first pull', async () => {
    const a = nowhere('repo')
    await weftJson(['init', a])
    const b = await clone(a)
    await change(a, 'first', '1\n')
    const answer = await weftJson<SyncAnswer>(['-C', b, 'pull'])
    assert.equal(answer.files.moved, true)
    assert.equal(text(b, 'first'), '1\n')
  })

  it('that ended before its files were written gets them when it is asked for again', async () => {
    const a = await repository()
    await change(a, 'more', 'more\n')
    for (const there of [[], ['list']]) {
      const root = temporary('half')
      await using peer = peerOf(a)
      await cloneStore(peer, { root })
      for (const path of there) writeFileSync(join(root, path), text(a, path))
      const report = await weftJson<CloneReport>(['clone', a, root])
      assert.equal(report.branch, 'main')
      assert.deepEqual(readdirSync(root).sort(), ['.weft', 'list', 'more'])
      assert.equal((await weftJson<StatusReport>(['-C', root, 'status'])).clean, true)
      assert.equal((await weftJson<unknown[]>(['-C', root, 'remote', 'list'])).length, 1)
      assert.equal((await weftFails(['clone', a, root])).code, 'REPO_EXISTS')
    }
  })

  it('without files stays without, whatever is pulled', async () => {
    const a = await repository()
    const root = nowhere('bare')
    await weftJson(['clone', a, root, '--no-checkout'])
    await change(a, 'more', 'more\n')
    await weftJson(['-C', root, 'pull'])
    assert.deepEqual(readdirSync(root), ['.weft'])
  })
})

describe('sync', () => {
  it('passes on what both did, says so, and leaves two heads to merge', async () => {
    const a = await repository()
    const b = await clone(a)
    await change(a, 'from-a', 'a\n')
    await change(b, 'from-b', 'b\n')
    const outcome = await weft(['-C', b, 'sync'])
    assert.equal(outcome.status, 0)
    assert.match(outcome.stdout.toString(), /^1 version from origin, 1 version to origin \(.*\)\.\n {2}branch {2}main /)
    assert.match(outcome.stdout.toString(), /weft merge/)
    assert.match((await weft(['-C', a, 'status'])).stdout.toString(), /The branch has other heads, [0-9a-f]{12}/)
    await weftJson(['-C', a, 'merge'])
    await sync(b)
    assert.deepEqual(readdirSync(b).sort(), ['.weft', 'from-a', 'from-b', 'list'])
    assert.match((await weft(['-C', b, 'sync'])).stdout.toString(), /^Nothing new here or at origin/)
  })

  it('with a name that is no remote, or another repository, says what to do', async () => {
    const a = await repository()
    assert.equal((await weftFails(['-C', a, 'sync'])).code, 'REMOTE_NONE')
    assert.equal((await weftFails(['-C', a, 'sync', 'nobody'])).code, 'REMOTE_UNKNOWN')
    const failure = await weftFails(['-C', a, 'pull', await repository()])
    assert.equal(failure.code, 'REPO_OTHER')
    assert.match(failure.hint ?? '', /weft clone/)
  })

  it('refuses what an unknown key signed where only trusted ones count, and names it', async () => {
    const a = await repository()
    const b = await clone(a)
    await weftJson(['-C', a, 'config', 'sync.signers', 'trusted'])
    const other = { WEFT_HOME: temporary('other-home') }
    writeFileSync(join(b, 'by-other'), 'x\n')
    assert.equal((await weft(['-C', b, 'commit', '-m', 'by another key'], { env: other })).status, 0)
    const outcome = await weft(['-C', a, 'pull', b, '--json'])
    assert.equal(outcome.status, 3)
    const answer = JSON.parse(outcome.stdout.toString()) as SyncAnswer
    assert.ok(answer.refused.length > 0 && answer.refused.every(({ code }) => code === 'SIGNER_UNTRUSTED'))
    const [key] = answer.newSigners
    assert.ok(answer.refused[0]?.reason.includes(key?.fingerprint ?? '?'))
    await weftJson(['-C', a, 'key', 'trust', key?.fingerprint ?? ''])
    assert.equal((await weftJson<SyncAnswer>(['-C', a, 'pull', b])).received, 1)
    assert.equal(text(a, 'by-other'), 'x\n')
  })

  it('--watch passes changes on as they come, both ways, until it is interrupted', async () => {
    const a = await repository()
    const b = await clone(a)
    let watching: ChildProcess | undefined
    const ended = weft(['-C', b, 'sync', '--watch'], {
      onStart: (child) => {
        watching = child
      },
    })
    const arrives = async (path: string): Promise<void> => {
      for (let i = 0; i < 300 && !existsSync(path); i++) await sleep(100)
      assert.ok(existsSync(path), `${path} did not come`)
    }
    await sleep(1500)
    await change(a, 'from-a', 'a\n')
    await arrives(join(b, 'from-a'))
    await change(b, 'from-b', 'b\n')
    const pulled = async () => (await weftJson<StatusReport>(['-C', a, 'status'])).newerHeads?.length
    for (let i = 0; i < 100 && (await pulled()) !== 1; i++) await sleep(100)
    assert.equal(await pulled(), 1)
    watching?.kill('SIGINT')
    assert.equal((await ended).status, 130)
  })
})

describe('over ssh', () => {
  it('everything is as in a directory', async () => {
    const a = await repository()
    const bin = temporary('bin')
    writeFileSync(join(bin, 'weft'), `#!/bin/sh\nexec '${process.execPath}' '${RUN}' "$@"\n`)
    // What ssh does, without a network: options, --, host, and a command for the other side's shell.
    writeFileSync(
      join(bin, 'ssh'),
      `#!/bin/sh\n[ "$1" = -- ] && shift\n[ "$1" = host ] || exit 255\nPATH='${bin}':$PATH exec sh -c "$2"\n`,
    )
    for (const name of ['weft', 'ssh']) chmodSync(join(bin, name), 0o755)
    const env = { WEFT_SSH: join(bin, 'ssh') }
    const b = await clone(`ssh://host${a}`, env)
    await change(a, 'from-a', 'a\n')
    await change(b, 'from-b', 'b\n')
    const answer = await weftJson<SyncAnswer>(['-C', b, 'sync'], { env })
    assert.deepEqual([answer.received, answer.sent, answer.exchanges], [1, 1, 1])
    assert.deepEqual((await verify(a)).damage, [])
    const failure = await weftFails(['-C', b, 'sync', 'ssh://elsewhere/x'], { env })
    assert.equal(failure.code, 'REMOTE_UNREACHABLE')
    const missing = await weftFails(['-C', b, 'sync', 'ssh://host/no/such'], { env })
    assert.match(`${missing.code} ${missing.message}`, /REPO_NOT_FOUND|no weft repository/)
  })
})

describe('over HTTP', () => {
  let place = ''
  let server: { url: string; child: ChildProcess }
  let write = ''

  before(async () => {
    place = temporary('served')
    await weftJson(['init', join(place, 'project')])
    await change(join(place, 'project'), 'list', 'one\n')
    write = await tokenFor(place, '--read', '--write')
    server = await serve(place)
  })
  after(() => server.child.kill())

  it('two clones push at the same time, and nothing is lost', async () => {
    const env = { WEFT_TOKEN: write }
    const url = `${server.url}/project`
    const clones = await Promise.all([clone(url, env), clone(url, env)])
    for (let round = 0; round < 3; round++) {
      await Promise.all(clones.map((root, i) => change(root, `file-${i}-${round}`, `${round}\n`)))
      const pushed = await Promise.all(clones.map((root) => weftJson<SyncAnswer>(['-C', root, 'push'], { env })))
      assert.deepEqual(
        pushed.map(({ sent, refusedThere, waitingThere }) => [sent, refusedThere.length, waitingThere]),
        [
          [1, 0, 0],
          [1, 0, 0],
        ],
      )
    }
    const third = await clone(url, env)
    const log = await weftJson<{ message: string }[]>(['-C', third, 'log', '--json'])
    assert.equal(log.length >= 4, true)
    for (const root of clones) await weftJson(['-C', root, 'sync'], { env })
    await weftJson(['-C', clones[0] as string, 'merge'])
    await weftJson(['-C', clones[0] as string, 'push'], { env })
    await weftJson(['-C', clones[1] as string, 'pull'], { env })
    assert.deepEqual(readdirSync(clones[0] as string).sort(), readdirSync(clones[1] as string).sort())
    assert.deepEqual((await verify(clones[1] as string)).damage, [])
    // Through the server, which has the store open.
    assert.deepEqual((await verify(join(place, 'project'))).damage, [])
  })

  it('nobody gets in without a token, and a reader does not write', async () => {
    const url = `${server.url}/project`
    assert.equal((await weftFails(['clone', url, nowhere('x')])).code, 'SYNC_DENIED')
    const reader = { WEFT_TOKEN: await tokenFor(place, '--read') }
    const root = await clone(url, reader)
    await change(root, 'mine', 'mine\n')
    assert.equal((await weftFails(['-C', root, 'push'], { env: reader })).code, 'SYNC_DENIED')
    assert.equal(
      (await weftFails(['clone', `${server.url}/nothing`, nowhere('x')], { env: reader })).code,
      'REMOTE_NOT_FOUND',
    )
    assert.equal((await weftFails(['clone', 'http://127.0.0.1:9/x', nowhere('x')])).code, 'REMOTE_UNREACHABLE')
  })

  it('a clone that is killed goes on where it stopped', async () => {
    const env = { WEFT_TOKEN: write }
    const root = nowhere('killed')
    for (let delay = 60; delay < 400; delay += 60) {
      await weft(['clone', `${server.url}/project`, root], {
        env,
        onStart: (child) => void setTimeout(() => child.kill('SIGKILL'), delay),
      })
    }
    if (!existsSync(join(root, '.weft', 'store'))) await weftJson(['clone', `${server.url}/project`, root], { env })
    assert.deepEqual((await verify(root)).damage, [])
  })
})
