import { setPreference, usePreferences } from '../shared/preferences.ts';
import { Dialog } from '../shared/ui/dialog.tsx';
import { Kbd } from '../shared/ui/kbd.tsx';
import { pages } from './navigation.ts';

const groups = [
  {
    title: 'Everywhere',
    keys: [
      { keys: 'Ctrl K', does: 'Go to anything (⌘ K on a Mac)' },
      ...pages.map(page => ({ keys: page.keys, does: page.label })),
      { keys: '?', does: 'This help' },
      { keys: 'Esc', does: 'Close what is open' },
    ],
  },
  {
    title: 'Changes',
    keys: [
      { keys: '/', does: 'Search' },
      { keys: 'j', does: 'Next change' },
      { keys: 'k', does: 'Previous change' },
      { keys: 'Enter', does: 'Open the change' },
      { keys: 'p', does: 'Pause or resume the live feed' },
    ],
  },
  {
    title: 'Row history',
    keys: [
      { keys: 'j', does: 'Older version' },
      { keys: 'k', does: 'Newer version' },
    ],
  },
] as const;

export function HelpDialog({ onClose }: { readonly onClose: () => void }) {
  const { shortcuts } = usePreferences();
  return (
    <Dialog title="Keyboard" size="lg" onClose={onClose}>
      <div className="help">
        {groups.map(group => (
          <section key={group.title} aria-label={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(({ keys, does }) => (
                <div key={keys}>
                  <dt>{does}</dt>
                  <dd>
                    <Kbd keys={keys} />
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className="check">
        <input
          type="checkbox"
          checked={shortcuts}
          onChange={event => setPreference('shortcuts', event.target.checked)}
        />
        Single-key shortcuts
      </label>
    </Dialog>
  );
}
