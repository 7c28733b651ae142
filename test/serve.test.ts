/**
 * `weft serve` as a process: how it begins and ends, who is let in, commands beside it, and what is left when it or a
 * command is killed.
 * @module
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { request as requestTls } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { VerifyReport, VersionInfo } from '../src/index.js'
import { makeCertificate } from './support/certificate.js'
import { fixture } from './support/corpus.js'
import { nowhere, temporary } from './support/temp.js'
import { HOME, ROOT, weft, weftFails, weftJson } from './support/weft.js'

/** A server's process and what it said. */
interface Server {
  readonly child: ChildProcess
  readonly url: string
  readonly port: number
  readonly kind: string
  /** Lines of its stderr so far. */
  readonly said: string[]
  /** Settles with status and signal when it is over. */
  readonly over: Promise<[number | null, NodeJS.Signals | null]>
}

const servers: Server[] = []
after(async () => {
  for (const { child, over } of servers) {
    child.kill('SIGKILL')
    await over
  }
})

async function serve(root: string, ...args: string[]): Promise<Server> {
  const child = spawn(
    process.execPath,
    [join(ROOT, 'bin', 'run.js'), 'serve', root, '--http', '127.0.0.1:0', '--json', ...args],
    { env: { ...process.env, WEFT_HOME: HOME, NO_COLOR: '1' }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const said: string[] = []
  createInterface(child.stderr).on('line', (line) => said.push(line))
  const over = once(child, 'close') as Server['over']
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), over.then(() => [''])])) as [string]
  assert.notEqual(line, '', `the server ended: ${said.join('\n')}`)
  const server = { ...(JSON.parse(line) as Pick<Server, 'url' | 'port' | 'kind'>), child, said, over }
  servers.push(server)
  return server
}

/** The status of a POST, by http or https. */
async function post({ url }: Server, path: string, token?: string): Promise<number> {
  const send = url.startsWith('https') ? requestTls : request
  const headers = {
    'content-type': 'application/x-weft-sync',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  }
  const sent = send(new URL(path, url), { method: 'POST', agent: false, headers, rejectUnauthorized: false })
  sent.end('nonsense')
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  return response.statusCode ?? 0
}

/** Whether a server says that it is well. */
async function health({ url }: Server): Promise<boolean> {
  return fetch(new URL('/healthz', url), { headers: { connection: 'close' } }).then(
    ({ ok }) => ok,
    () => false,
  )
}

/** Settles once a server has the store of `root` open. */
async function opened(server: Server, root: string): Promise<void> {
  await post(
    server,
    '/sync',
    (await weftJson<{ token: string }>(['serve', 'token', 'add', '--read', '-C', root])).token,
  )
  assert.ok(existsSync(join(root, '.weft', 'server', 'socket')))
}

async function imported(): Promise<string> {
  const root = nowhere('book')
  await weftJson(['git', 'import', fixture('small'), root, '--checkout'])
  for (const [name, value] of [
    ['user.name', 'Test'],
    ['user.email', 'test@example.org'],
  ] as const) {
    await weftJson(['-C', root, 'config', name, value])
  }
  return root
}

async function isWhole(root: string): Promise<void> {
  const { ok, damage } = await weftJson<VerifyReport>(['verify', '-C', root])
  assert.deepEqual({ ok, damage }, { ok: true, damage: [] })
}

describe('weft serve', () => {
  it('says where it is, and that nobody gets in; a token changes that, and what is not served is not there', async () => {
    const folder = temporary('folder')
    const book = join(folder, 'deep', 'book')
    mkdirSync(join(folder, 'deep'))
    await weftJson(['git', 'import', fixture('small'), book])
    const server = await serve(folder)
    assert.equal(server.kind, 'folder')
    assert.match(server.url, /^http:\/\/127\.0\.0\.1:\d+\/$/)
    assert.ok(await health(server))
    assert.equal(await post(server, '/deep/book/sync'), 401)
    const args = ['serve', 'token', 'add', 'ana', '--write', '-C', folder]
    const { token } = await weftJson<{ token: string }>(args)
    assert.equal(await post(server, '/deep/book/sync', token), 200)
    assert.equal(await post(server, '/deep/sync', token), 404)
    assert.equal(await post(server, '/%2e%2e/sync', token), 404)
    const { stdout } = await weft(['serve', 'token', 'list', '-C', folder])
    assert.match(stdout.toString(), /^ana {2}write {2}20\S+Z {2}[0-9a-f]{12}\n$/)
    assert.ok(!stdout.includes(token))
    await weftJson(['serve', 'token', 'remove', 'ana', '-C', folder])
    assert.equal(await post(server, '/deep/book/sync', token), 401)
    assert.equal((await weftFails(['serve', 'token', 'remove', 'ana', '-C', folder])).code, 'TOKEN_UNKNOWN')
    assert.equal((await weftFails(['serve', 'token', 'add', '-C', folder])).code, 'USAGE')
    server.child.kill('SIGTERM')
    assert.deepEqual(await server.over, [0, null])
    assert.match(server.said[0] ?? '', /no token yet/)
    assert.ok(server.said.some((line) => / POST \/deep\/book\/sync 200 in \d+ out \d+ \d+ ms ana/.test(line)))
    assert.ok(server.said.every((line) => !line.includes(token)))
    assert.deepEqual(readdirSync(join(book, '.weft', 'server')), [])
  })

  it('is quiet when it is told to be', async () => {
    const server = await serve(await imported(), '--open-read', '--quiet')
    assert.equal(await post(server, '/sync'), 200)
    server.child.kill('SIGINT')
    assert.deepEqual(await server.over, [0, null])
    assert.deepEqual(server.said, [])
  })

  it('refuses what makes no sense', async () => {
    const root = await imported()
    const cases: [args: string[], code: string][] = [
      [['--http', 'nowhere'], 'USAGE'],
      [['--http', '127.0.0.1:70000'], 'USAGE'],
      [['--http', '0.0.0.0:0'], 'LINE_OPEN'],
      [['--http', 'no.such.host.invalid:0'], 'ADDRESS_UNUSABLE'],
      [['--tls-cert', 'x'], 'USAGE'],
      [['--tls-cert', 'x', '--tls-key', 'y'], 'INPUT_UNREADABLE'],
      [['--stdio', '--open-read'], 'USAGE'],
      [['--rate', '0'], 'USAGE'],
    ]
    for (const [args, code] of cases) {
      assert.equal((await weftFails(['serve', root, ...args])).code, code, args.join(' '))
    }
    assert.equal((await weftFails(['serve', nowhere()])).code, 'DIR_NOT_FOUND')
    assert.equal((await weftFails(['serve', temporary(), '--stdio'])).code, 'REPO_NOT_FOUND')
    const { port, child } = await serve(root)
    assert.equal((await weftFails(['serve', root, '--http', `127.0.0.1:${port}`])).code, 'ADDRESS_UNUSABLE')
    child.kill()
  })

  const certificate = makeCertificate()
  it('speaks TLS', { skip: certificate === undefined && 'there is no openssl here' }, async () => {
    const root = await imported()
    const { certPath, keyPath } = certificate ?? assert.fail()
    const { token } = await weftJson<{ token: string }>(['serve', 'token', 'add', '--read', '-C', root])
    const server = await serve(root, '--tls-cert', certPath, '--tls-key', keyPath)
    assert.match(server.url, /^https:/)
    assert.equal(await post(server, '/sync', token), 200)
    server.child.kill()
  })

  it('ends at once at the second signal', async () => {
    const root = await imported()
    const server = await serve(root, '--open-read')
    // A request that never ends keeps it.
    const headers = { 'content-type': 'application/x-weft-sync' }
    const sent = request(new URL('/sync', server.url), { method: 'POST', headers })
    sent.on('error', () => undefined).write('h')
    while (!existsSync(join(root, '.weft', 'server', 'socket'))) await sleep(10)
    server.child.kill('SIGTERM')
    // It listens no more, and is there still.
    while (await health(server)) await sleep(10)
    assert.equal(server.child.exitCode, null)
    server.child.kill('SIGTERM')
    assert.deepEqual(await server.over, [143, null])
    sent.destroy()
  })
})

describe('commands beside a server', () => {
  it('work as ever: commit, switch, merge, undo, log, verify, import', async () => {
    const root = await imported()
    const server = await serve(root)
    await opened(server, root)
    const run = (...args: string[]) => weftJson<Record<string, unknown>>(['-C', root, ...args])
    writeFileSync(join(root, 'list'), 'flour\nmilk\n')
    await run('commit', '-m', 'one')
    await run('switch', '-c', 'side')
    writeFileSync(join(root, 'list'), 'flour\noat milk\n')
    await run('commit', '-m', 'two')
    await run('switch', 'main')
    writeFileSync(join(root, 'other'), 'salt\n')
    await run('commit', '-m', 'three')
    await run('merge', 'side')
    assert.equal(readFileSync(join(root, 'list'), 'utf8'), 'flour\noat milk\n')
    await run('undo')
    assert.equal(readFileSync(join(root, 'list'), 'utf8'), 'flour\nmilk\n')
    await run('redo')
    await isWhole(root)
    await run('git', 'import', fixture('oddities'), root)
    await run('store', 'stat')
    await isWhole(root)
    assert.ok(existsSync(join(root, '.weft', 'server', 'socket')), 'it was open all the while')
    const through = await weftJson<VersionInfo[]>(['log', '-C', root])
    server.child.kill()
    assert.deepEqual(await server.over, [0, null])
    assert.deepEqual(await weftJson<VersionInfo[]>(['log', '-C', root]), through)
    await isWhole(root)
  })

  it('wait for each other, many of them, and lose nothing', async () => {
    const root = await imported()
    const server = await serve(root)
    await opened(server, root)
    const names = Array.from({ length: 8 }, (_, i) => `tag-${i}`)
    const tags = await Promise.all(names.map((name) => weft(['tag', name, '-C', root, '--json'])))
    for (const { status, stderr, stdout } of tags) assert.equal(status, 0, `${stderr}${stdout}`)
    const found = (await weftJson<{ name: string }[]>(['tag', '-C', root])).map(({ name }) => name)
    for (const name of names) assert.ok(found.includes(name), name)
    await isWhole(root)
    server.child.kill()
  })

  it('are no trouble when they are killed, and the server is none when it is', async () => {
    const root = await imported()
    let server = await serve(root)
    await opened(server, root)
    const before = (await weftJson<VersionInfo[]>(['log', '-C', root])).length
    let acknowledged = 0
    for (let i = 0; i < 8; i++) {
      writeFileSync(join(root, 'list'), `${i}\n`)
      const outcome = await weft(['commit', '-m', `${i}`, '-C', root, '--json'], {
        onStart: (child) => {
          // Half of the time the command is killed, once the server; at a time when it is at work.
          if (i % 2 === 0) setTimeout(() => child.kill('SIGKILL'), 60 + 25 * i)
          if (i === 5) setTimeout(() => server.child.kill('SIGKILL'), 120)
        },
      })
      if (outcome.status === 0) acknowledged++
      else if (outcome.signal === null) assert.match(outcome.stdout.toString(), /STORE_|NOTHING_TO_COMMIT/)
      if (i === 5) {
        await server.over
        server = await serve(root)
        await opened(server, root)
      }
      await isWhole(root)
    }
    const versions = (await weftJson<VersionInfo[]>(['log', '-C', root])).length
    assert.ok(versions - before >= acknowledged, `${versions - before} of ${acknowledged}`)
    server.child.kill('SIGKILL')
    await server.over
    // The socket that it left is no hindrance.
    assert.ok(existsSync(join(root, '.weft', 'server', 'socket')))
    await isWhole(root)
  })
})
