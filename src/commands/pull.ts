import { remoteArgs, SyncCommand, tokenFlag } from '../cli/sync-command.js'

/** `weft pull`. */
export default class Pull extends SyncCommand {
  static override summary = 'Bring in what a remote has and this repository lacks'
  static override description =
    'Every version is checked whole before it is written. Where the current branch has gone on, the files follow, and unsaved changes are carried along; where it has gone on here too, it has two heads then, and weft merge joins them.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> origin',
    '<%= config.bin %> <%= command.id %> ../other',
  ]
  static override args = remoteArgs
  static override flags = { token: tokenFlag }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Pull)
    await this.exchange('pull', args.remote, flags.token)
  }
}
