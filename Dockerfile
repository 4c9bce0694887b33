# clickstudy with what a served study needs: docs/hosting.md. The worker is on the CPU unless TORCH
# names another index of PyTorch's wheels.
FROM python:3.12-slim

ARG TORCH=https://download.pytorch.org/whl/cpu
WORKDIR /opt/clickstudy
RUN pip install --no-cache-dir torch torchvision --index-url "$TORCH"
COPY . .
RUN pip install --no-cache-dir ".[all]" \
 && useradd --create-home --uid 1000 study \
 && mkdir /runs && chown study /runs
USER study
VOLUME /runs
ENTRYPOINT ["clickstudy"]
