import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Toaster } from '../shared/ui/toaster.tsx';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/controls.css';
import '../styles/overlays.css';
import '../styles/content.css';
import '../styles/changes.css';
import './shell.css';
import { createAppQueryClient } from './query-client.ts';
import { createAppRouter } from './router.tsx';
import { endSessionOn401 } from './session-end.ts';

const queryClient = createAppQueryClient();
const router = createAppRouter(queryClient);
endSessionOn401(queryClient, router);

const root = document.querySelector('#root');
if (!root) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>
  </StrictMode>,
);
