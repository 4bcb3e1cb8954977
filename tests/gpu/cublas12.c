/* libcublas.so.12 for a machine that has only CUDA 13: the six functions that TurboMind imports have
   the same C interface in both, so each jumps to its namesake in libcublas.so.13. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define FUNCTIONS(X) \
  X(cublasCreate_v2) X(cublasDestroy_v2) X(cublasGemmEx) \
  X(cublasGetMathMode) X(cublasSetStream_v2) X(cublasSetWorkspace_v2)

static void missing(void) {
  fprintf(stderr, "libcublas.so.13 was not found beside this stand-in for libcublas.so.12\n");
  abort();
}

#define JUMP(name) \
  __attribute__((visibility("hidden"))) void *to_##name = (void *)missing; \
  __asm__(".text\n.globl " #name "\n.type " #name ",@function\n" #name ":\n" \
          "  jmp *to_" #name "(%rip)\n.size " #name ",.-" #name "\n");
FUNCTIONS(JUMP)

__attribute__((constructor)) static void find(void) {
  void *library = dlopen("libcublas.so.13", RTLD_NOW | RTLD_GLOBAL);
  if (!library) return;
#define FIND(name) { void *found = dlsym(library, #name); if (found) to_##name = found; }
  FUNCTIONS(FIND)
}
