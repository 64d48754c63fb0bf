import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { Command } from 'lucide-react';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { useMe } from '../shared/session.ts';
import { useShortcuts } from '../shared/shortcuts.ts';
import { IconButton } from '../shared/ui/button.tsx';
import { Kbd } from '../shared/ui/kbd.tsx';
import { Wordmark } from '../shared/ui/logo.tsx';
import { AccountMenu } from './account-menu.tsx';
import { CommandPalette } from './command-palette.tsx';
import { HelpDialog } from './help-dialog.tsx';
import { pages } from './navigation.ts';
import { StackStatus } from './stack-status.tsx';

const ChangePasswordDialog = lazy(async () => ({
  default: (await import('../features/account/change-password-dialog.tsx')).ChangePasswordDialog,
}));

/** The frame around every page: navigation, palette, help, account. */
export function Shell() {
  const [open, setOpen] = useState<'palette' | 'help' | 'password'>();
  const close = () => setOpen(undefined);
  const navigate = useNavigate();
  const me = useMe();
  useShortcuts({
    '?': () => setOpen('help'),
    ...Object.fromEntries(pages.map(page => [page.keys, () => void navigate({ to: page.to })])),
  });
  usePaletteKey(() => setOpen(current => (current === 'palette' ? undefined : 'palette')));

  return (
    <div className="shell">
      <a className="skip-link" href="#main">
        Skip to the content
      </a>
      <header className="sidebar">
        <Link to="/" className="sidebar-brand" aria-label="Tidemark, overview">
          <Wordmark />
        </Link>
        <button type="button" className="palette-button" onClick={() => setOpen('palette')}>
          <Command size={15} aria-hidden="true" />
          <span>Go to…</span>
          <Kbd keys={isApple() ? '⌘ K' : 'Ctrl K'} />
        </button>
        <nav aria-label="Main">
          <ul className="nav">
            {pages.map(({ to, label, Icon, keys }) => (
              <li key={to}>
                <Link
                  to={to}
                  activeOptions={{ exact: to === '/', includeSearch: false }}
                  className="nav-link"
                >
                  <Icon size={18} aria-hidden="true" />
                  <span>{label}</span>
                  <Kbd keys={keys} />
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className="sidebar-foot">
          <StackStatus />
          <AccountMenu onHelp={() => setOpen('help')} onPassword={() => setOpen('password')} />
        </div>
        <IconButton label="Go to…" className="palette-icon" onClick={() => setOpen('palette')}>
          <Command size={18} />
        </IconButton>
      </header>
      <MainArea />
      {open === 'palette' && <CommandPalette onClose={close} onHelp={() => setOpen('help')} />}
      {open === 'help' && <HelpDialog onClose={close} />}
      {open === 'password' && me && (
        <Suspense>
          <ChangePasswordDialog user={me.user} onClose={close} />
        </Suspense>
      )}
    </div>
  );
}

/** The content. Its focus follows navigation, so that screen readers start at the new page. */
function MainArea() {
  const path = useRouterState({ select: state => state.location.pathname.split('/')[1] });
  const main = useRef<HTMLElement>(null);
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current !== path) main.current?.focus({ preventScroll: true });
    shown.current = path;
  }, [path]);
  return (
    <main id="main" ref={main} tabIndex={-1}>
      <Outlet />
    </main>
  );
}

function usePaletteKey(toggle: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (
        event.key.toLowerCase() !== 'k' ||
        !(event.ctrlKey || event.metaKey) ||
        event.shiftKey ||
        event.altKey
      )
        return;
      event.preventDefault();
      toggle();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  });
}

function isApple(): boolean {
  return /Mac|iPhone|iPad/.test(navigator.userAgent);
}
