import * as Flags from '@oclif/core/flags'
import { remoteArgs, SyncCommand, tokenFlag } from '../cli/sync-command.js'
import { SyncWatch } from '../cli/sync-watch.js'

/** `weft sync`. */
export default class Sync extends SyncCommand {
  static override summary = 'Bring a remote and this repository up to date, both ways'
  static override description =
    'The same as weft pull and weft push in one exchange. With --watch it stays connected and passes changes on as they come, until it is interrupted.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> origin --watch',
    '<%= config.bin %> <%= command.id %> ../other',
  ]
  static override args = remoteArgs
  static override flags = {
    token: tokenFlag,
    watch: Flags.boolean({ summary: 'Stay connected, and pass changes on as they come' }),
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Sync)
    if (flags.watch) await this.watch(args.remote, flags.token)
    else await this.exchange('sync', args.remote, flags.token)
  }

  /** Syncs whenever something has changed here or there. The repository is open only meanwhile. */
  private async watch(wanted: string | undefined, token: string | undefined): Promise<void> {
    const [{ findRoot }, { remoteFor }] = await Promise.all([import('../repo/layout.js'), import('../sync/remotes.js')])
    const root = await findRoot(process.cwd())
    const remote = remoteFor(root, wanted)
    await using peer = await this.peerFor(remote, root, token)
    const watch = new SyncWatch(root, peer, {
      sync: async () => {
        await using repo = await this.openRepository()
        return await this.once(repo, remote, peer, 'sync')
      },
      tell: (answer) => this.tell(answer),
      trouble: (message) => void process.stderr.write(`${message}\n`),
    })
    const stop = (): void => watch.stop()
    process.once('SIGINT', stop).once('SIGTERM', stop)
    await watch.run()
  }
}
