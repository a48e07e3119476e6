// What ends a failure of a host, by name.
import type { Remediation } from './remediation.ts'

export const hostRemediations = {
  make_remote_read_only: {
    automatic: false,
    title: 'Give the host a read-only deploy key, so that it cannot push.',
  },
  enrol_host: {
    automatic: false,
    title: 'Enter the address and admin token of the host in HQ Settings.',
    console: 'Reload this page, and enter the admin token of the host again.',
  },
  compare_host: {
    automatic: false,
    title:
      'Open Hosts in HQ, compare what was pinned with what answers now, and agree if you expect the change.',
  },
  see_guard_log: {
    automatic: false,
    title:
      'Open the guard log in HQ, fix the cause that it names, then run guard. ' +
      'Guard does not try again within this hour.',
  },
  follow_doctor: {
    automatic: false,
    title: 'Open Doctor in HQ; each failing check names its own remedy.',
  },
  change_trust: {
    automatic: false,
    title:
      'Enrol the key of another laptop first. If the detail names trust.json, change that file on the ' +
      'host as root.',
  },
  finish_host: {
    automatic: false,
    title:
      'Do on the host what the detail names. All steps are in docs/RUNBOOK.md under "The first deploy ' +
      'on a real host".',
  },
  prepare_host: {
    automatic: false,
    title: 'Change on the host what the detail names, then install hostd again.',
  },
  inspect_proof: {
    automatic: false,
    title: 'Open Proofs in HQ; each bundle names what differs from what was sealed.',
  },
  move_service_data: {
    automatic: false,
    title:
      'Copy what you need out of the folders named in the detail. ' +
      'Let the service write to a folder outside of its version, and press Ship.',
    console:
      'Copy what you need out of the folders named in the detail. ' +
      'Let the service write to a folder outside of its version, and ship that from the laptop.',
  },
  free_port: {
    automatic: false,
    title: 'Stop the process named in the detail, or give the service another port.',
  },
  close_public_port: {
    automatic: false,
    title:
      'Bind the listed address to loopback or the tailnet, or remove the listed privilege from the container. ' +
      'If it is intended, list it in openclaw.config.json with a reason.',
  },
  delete_nat_rule: {
    automatic: false,
    title:
      'Delete the listed packet filter rule on the host. ' +
      'If it is intended, list it in openclaw.config.json with a reason.',
  },
  close_tailscale_serve: {
    automatic: false,
    title: 'Turn Tailscale Funnel off on the host, and serve only hostd to the tailnet.',
  },
  set_admin_token: {
    automatic: false,
    title:
      'Install hostd again on the host: it creates a missing token and corrects owner and mode. ' +
      'Then enter that token in HQ Settings.',
    console:
      'Install hostd again on the host: it creates a missing token and corrects owner and mode. ' +
      'Then reload this page and enter that token.',
  },
  install_host_tools: {
    automatic: false,
    title: 'Install the package named in the detail on the host.',
  },
  make_storage_writable: {
    automatic: false,
    title:
      'Make the file system of the file named in the detail writable again. ' +
      'A disk with errors is mounted read-only.',
  },
  free_disk: { automatic: false, title: 'Free disk space on the machine named in the detail.' },
  repair_state_folder: {
    automatic: false,
    title: 'Make the state folder writable; the detail names the file.',
  },
  repair_artifacts_folder: {
    automatic: false,
    title: 'Make the artifacts folder writable; the detail names the file.',
  },
  install_again: {
    automatic: false,
    title: 'Install hostd again on the host: it restores owners and modes, units and timers.',
  },
  protect_secrets: {
    automatic: false,
    title:
      'Set the owner and mode named in the detail on each file, and replace every secret that others could read.',
  },
  connect_connectors: {
    automatic: false,
    title:
      'Connect each of them on the page Connectors of HQ; the check of each names what is missing.',
  },
  connect_again: {
    automatic: false,
    title: 'Connect it again on the page Connectors of HQ; that replaces its secret on the host.',
  },
  withdraw_at_service: {
    automatic: false,
    title: 'Remove the access of HQ in your account at the service: the host could not.',
  },
  get_browser: {
    automatic: false,
    title:
      'Connect this laptop to the internet and start again: HQ downloads a browser. ' +
      'Chrome or Edge is used instead where it is installed.',
  },
  stay_signed_in: {
    automatic: false,
    title:
      'Sign in again, and choose to stay signed in where the page offers it: the host can use cookies only.',
  },
  correct_library_settings: {
    automatic: false,
    title:
      'Set kajabi.library_paths and kajabi.library_item_paths in host.json to the pages that list the library. ' +
      'Then run Phase 0 again.',
  },
  continue_phase0: {
    automatic: false,
    title: 'Run Phase 0 again. It continues with the messages that are still missing.',
  },
  correct_connector_settings: {
    automatic: false,
    title:
      'Correct the address of the connector under its name in host.json; the detail quotes its answer.',
  },
  set_clock: {
    automatic: false,
    title: 'Set the clock of the host, and turn on its time synchronisation.',
  },
  start_docker: {
    automatic: false,
    title: 'Start or install Docker on the host; the detail quotes its answer.',
  },
  prune_images: {
    automatic: false,
    title:
      'Remove unused images and build cache from the host. HQ itself keeps only its last three green versions.',
  },
  repair_clone: {
    automatic: false,
    title: 'Correct on the host what the detail names about its clone, or clone it again.',
  },
  join_tailnet: {
    automatic: false,
    title: 'Start Tailscale on the host and sign it in; HQ reaches the host through the tailnet.',
  },
  renew_tailnet_key: {
    automatic: false,
    title:
      'Sign the host in to the tailnet again, or turn off its key expiry in the Tailscale admin console.',
  },
  allow_actor: {
    automatic: false,
    title:
      'Connect through the tailnet address of the host as a person or node that host.json names in ' +
      'allowed_logins or allowed_tags, or name this one there.',
  },
  publish_again: {
    automatic: false,
    title: 'Install hostd again on the host: it publishes hostd and the console to the tailnet.',
  },
  enable_magic_dns: {
    automatic: false,
    title: 'Turn MagicDNS on for the tailnet, in the DNS settings of its admin console.',
  },
  update_hq: {
    automatic: false,
    title: 'HQ and hostd speak different versions; update the older one.',
  },
  report_bug: {
    automatic: false,
    title: 'This is a defect of HQ. Report it with the detail and the log, which say where.',
  },
} as const satisfies Record<string, Remediation>
